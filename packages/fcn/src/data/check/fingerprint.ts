import type { RasterImage } from "../sample.js";

const COLUMNS = 9;
const ROWS = 8;

/** Mean grey values of 9 x 8 boxes of the picture, row by row: what is left of a picture in any size and compression. */
export function fingerprintOf({ data, height, width, channels }: RasterImage): number[] {
  const sums = new Float64Array(COLUMNS * ROWS);
  const counts = new Uint32Array(COLUMNS * ROWS);
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * ROWS) / height) * COLUMNS;
    for (let x = 0; x < width; x++) {
      const box = row + Math.floor((x * COLUMNS) / width);
      const at = (y * width + x) * channels;
      const green = data[at + Math.min(1, channels - 1)] as number;
      sums[box]! += ((data[at] as number) + green + (data[at + Math.min(2, channels - 1)] as number)) / 3;
      counts[box]!++;
    }
  }
  return Array.from(sums, (sum, i) => Math.round(sum / Math.max(1, counts[i] as number)));
}

/** Whether a box is brighter than the one to its right: 64 bits (a "difference hash"), as two halves. */
export function differenceHash(thumbnail: readonly number[]): readonly [number, number] {
  const halves: [number, number] = [0, 0];
  let bit = 0;
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column + 1 < COLUMNS; column++, bit++) {
      const at = row * COLUMNS + column;
      if ((thumbnail[at] ?? 0) > (thumbnail[at + 1] ?? 0)) halves[bit >> 5]! |= 1 << (bit & 31);
    }
  }
  return [halves[0] >>> 0, halves[1] >>> 0];
}

function bitCount(value: number): number {
  let v = value - ((value >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

const MOST_BITS = 6;
const MOST_DIFFERENCE = 5;
/** A flat picture looks like any other flat picture. */
const LEAST_SPREAD = 16;

/** For each picture of `b` the first of `a` that looks the same; both are thumbnails. Flat pictures match nothing. */
export function findLookalikes(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
): { readonly a: number; readonly b: number }[] {
  const hashes = a.map(differenceHash);
  const pairs: { a: number; b: number }[] = [];
  b.forEach((thumbnail, j) => {
    if (thumbnail.length === 0 || Math.max(...thumbnail) - Math.min(...thumbnail) < LEAST_SPREAD) return;
    const [low, high] = differenceHash(thumbnail);
    const i = hashes.findIndex(([otherLow, otherHigh], at) => {
      const bits = bitCount(low ^ otherLow) + bitCount(high ^ otherHigh);
      return bits <= MOST_BITS && meanDifference(thumbnail, a[at] as readonly number[]) <= MOST_DIFFERENCE;
    });
    if (i >= 0) pairs.push({ a: i, b: j });
  });
  return pairs;
}

function meanDifference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] as number)), 0) / a.length;
}
