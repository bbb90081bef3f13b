/** Where a point (X, Y) of the result lies in the picture: x + xx X + xy Y, y + yx X + yy Y. The first pixel reaches from 0 to 1. */
export interface Affine {
  readonly x: number;
  readonly xx: number;
  readonly xy: number;
  readonly y: number;
  readonly yx: number;
  readonly yy: number;
}

export interface Raster {
  readonly data: Uint8Array | Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Each pixel of the result is the pixel of `from` in which its centre lies; `fill` where that is none. */
export function warpNearest(
  from: Raster,
  { height, width }: Size,
  affine: Affine,
  fill: readonly number[],
): Uint8Array | Float32Array {
  const { data, channels } = from;
  const out = emptyLike(data, height * width * channels);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [x, y] = pointOf(affine, column, row);
      const to = (row * width + column) * channels;
      if (isOutside(from, x, y)) {
        for (let c = 0; c < channels; c++) out[to + c] = fill[c] as number;
      } else {
        const at = (Math.floor(y) * from.width + Math.floor(x)) * channels;
        for (let c = 0; c < channels; c++) out[to + c] = data[at + c] as number;
      }
    }
  }
  return out;
}

/** As {@link warpNearest}, but with the bilinear value at the point; the border's pixels count for what lies half a pixel beyond their centres. */
export function warpBilinear(
  from: Raster,
  size: Size,
  affine: Affine,
  fill: readonly number[],
): Uint8Array | Float32Array {
  if (hitsCentres(affine)) return warpNearest(from, size, affine, fill);
  const { height, width } = size;
  const { data, channels } = from;
  const out = emptyLike(data, height * width * channels);
  const half = data instanceof Uint8Array ? 0.5 : 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [x, y] = pointOf(affine, column, row);
      const to = (row * width + column) * channels;
      if (isOutside(from, x, y)) {
        for (let c = 0; c < channels; c++) out[to + c] = fill[c] as number;
        continue;
      }
      const left = Math.floor(x - 0.5);
      const top = Math.floor(y - 0.5);
      const [partX, partY] = [x - 0.5 - left, y - 0.5 - top];
      const above = Math.max(top, 0) * from.width;
      const below = Math.min(top + 1, from.height - 1) * from.width;
      const [west, east] = [Math.max(left, 0), Math.min(left + 1, from.width - 1)];
      for (let c = 0; c < channels; c++) {
        const upper = mix(data[(above + west) * channels + c]!, data[(above + east) * channels + c]!, partX);
        const lower = mix(data[(below + west) * channels + c]!, data[(below + east) * channels + c]!, partX);
        // Storing into bytes cuts off: half a level more rounds.
        out[to + c] = mix(upper, lower, partY) + half;
      }
    }
  }
  return out;
}

function emptyLike(data: Uint8Array | Float32Array, length: number): Uint8Array | Float32Array {
  return data instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
}

function pointOf({ x, xx, xy, y, yx, yy }: Affine, column: number, row: number): readonly [number, number] {
  const [X, Y] = [column + 0.5, row + 0.5];
  return [x + xx * X + xy * Y, y + yx * X + yy * Y];
}

function isOutside({ height, width }: Size, x: number, y: number): boolean {
  return !(x >= 0 && y >= 0 && x < width && y < height);
}

/** Whether every pixel centre of the result is one of the picture. */
function hitsCentres({ x, xx, xy, y, yx, yy }: Affine): boolean {
  return xy === 0 && yx === 0 && Math.abs(xx) === 1 && yy === 1 && Number.isInteger(x) && Number.isInteger(y);
}

const mix = (a: number, b: number, part: number): number => a + (b - a) * part;
