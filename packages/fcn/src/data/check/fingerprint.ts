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

/** Flat pictures look like any other flat picture: a thumbnail with less between its darkest and its brightest box matches nothing. */
const LEAST_SPREAD = 16;
/** Thumbnails of one picture differ by less than this part of their spread, and by fewer levels than this, on average. */
const MOST_DIFFERENCE = { ofSpread: 0.1, levels: 4 } as const;

/** For each picture of `b` the first of `a` that looks the same, whatever its size and compression; both are thumbnails. */
export function findLookalikes(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
): { readonly a: number; readonly b: number }[] {
  return b.flatMap((thumbnail, j) => {
    const spread = thumbnail.length > 0 ? Math.max(...thumbnail) - Math.min(...thumbnail) : 0;
    if (spread < LEAST_SPREAD) return [];
    const most = Math.min(MOST_DIFFERENCE.levels, MOST_DIFFERENCE.ofSpread * spread) * thumbnail.length;
    const i = a.findIndex((other) => isWithin(thumbnail, other, most));
    return i >= 0 ? [{ a: i, b: j }] : [];
  });
}

/** Whether the differences add up to at most `most`; most pairs show after a few boxes that they do not. */
function isWithin(a: readonly number[], b: readonly number[], most: number): boolean {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    sum += Math.abs((a[i] as number) - (b[i] ?? Number.POSITIVE_INFINITY));
    if (sum > most) return false;
  }
  return true;
}
