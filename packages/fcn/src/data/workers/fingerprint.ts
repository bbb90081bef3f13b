import type { RasterImage } from "../../labels/sample.js";

const SIDE = 8;
const COLOURS = 3;
const BOXES = SIDE * SIDE;

/** The mean colours of 8 x 8 boxes of an image in row-major order, which any resizing and compression preserve. */
export function fingerprintOf({ data, height, width, channels }: RasterImage): number[] {
  const sums = new Float64Array(BOXES * COLOURS);
  const counts = new Uint32Array(BOXES);
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * SIDE) / height) * SIDE;
    for (let x = 0; x < width; x++) {
      const box = row + Math.floor((x * SIDE) / width);
      const at = (y * width + x) * channels;
      for (let c = 0; c < COLOURS; c++) sums[box * COLOURS + c]! += data[at + Math.min(c, channels - 1)] as number;
      counts[box]!++;
    }
  }
  return Array.from(sums, (sum, i) => Math.round(sum / Math.max(1, counts[Math.floor(i / COLOURS)] as number)));
}

/**
 * Images are compared only if this share of their boxes deviates from a plane by more than this many levels, since
 * plain backgrounds and gradients look alike whatever small objects they carry.
 */
const STRUCTURE = { part: 0.4, levels: 6 } as const;
/**
 * Largest difference between thumbnails of one image, on average and in any box, relative to the image's mean
 * deviation.
 */
const MOST_DIFFERENCE = { mean: 0.22, box: 0.85 } as const;

/** For each thumbnail in `b`, the first in `a` that looks the same apart from size and compression. */
export function findLookalikes(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
): { readonly a: number; readonly b: number }[] {
  const deviations = a.map(deviationOf);
  return b.flatMap((thumbnail, j) => {
    const own = deviationOf(thumbnail);
    if (own === 0) return [];
    const i = a.findIndex((other, at) => isSame(thumbnail, other, Math.min(own, deviations[at] as number)));
    return i >= 0 ? [{ a: i, b: j }] : [];
  });
}

/** Most pairs differ within a few boxes, so the comparison stops early. */
function isSame(a: readonly number[], b: readonly number[], deviation: number): boolean {
  if (deviation === 0) return false;
  let sum = 0;
  for (let box = 0; box < BOXES; box++) {
    let own = 0;
    for (let c = 0; c < COLOURS; c++) {
      own += Math.abs((a[box * COLOURS + c] as number) - (b[box * COLOURS + c] as number));
    }
    sum += own;
    if (own > MOST_DIFFERENCE.box * COLOURS * deviation) return false;
    if (sum > MOST_DIFFERENCE.mean * COLOURS * BOXES * deviation) return false;
  }
  return true;
}

/** The mean deviation of the boxes from their mean colour; 0 if an image has too little structure to be distinctive. */
function deviationOf(thumbnail: readonly number[]): number {
  if (thumbnail.length === 0) return 0;
  let sum = 0;
  const off = new Float64Array(BOXES);
  for (let c = 0; c < COLOURS; c++) {
    const { mean, right, down } = planeOf(thumbnail, c);
    for (let box = 0; box < BOXES; box++) {
      const deviation = (thumbnail[box * COLOURS + c] as number) - mean;
      sum += Math.abs(deviation);
      off[box]! += Math.abs(deviation - right * across(box) - down * along(box)) / COLOURS;
    }
  }
  const structured = off.filter((levels) => levels > STRUCTURE.levels).length;
  return structured >= STRUCTURE.part * BOXES ? sum / (BOXES * COLOURS) : 0;
}

const across = (box: number): number => (box % SIDE) - (SIDE - 1) / 2;
const along = (box: number): number => Math.floor(box / SIDE) - (SIDE - 1) / 2;

/**
 * The least-squares plane through one colour of the boxes: its value in the centre, and its increase per box to the
 * right and downwards.
 */
function planeOf(thumbnail: readonly number[], c: number): { mean: number; right: number; down: number } {
  let [mean, right, down, squares] = [0, 0, 0, 0];
  for (let box = 0; box < BOXES; box++) {
    const value = thumbnail[box * COLOURS + c] as number;
    mean += value / BOXES;
    right += value * across(box);
    down += value * along(box);
    squares += across(box) ** 2;
  }
  return { mean, right: right / squares, down: down / squares };
}
