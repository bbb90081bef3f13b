/**
 * Maps a point (X, Y) of the result to the point (x + xx X + xy Y, y + yx X + yy Y) of the image. The first pixel spans
 * 0 to 1.
 */
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

/** Copies to each pixel of the result the pixel of `from` that contains its centre, or `fill` if there is none. */
export function warpNearest(
  from: Raster,
  { height, width }: Size,
  affine: Affine,
  fill: readonly number[],
): Uint8Array | Float32Array {
  const { data, channels } = from;
  const out = emptyLike(data, height * width * channels);
  for (let row = 0, to = 0; row < height; row++) {
    for (let column = 0; column < width; column++, to += channels) {
      const x = affine.x + affine.xx * (column + 0.5) + affine.xy * (row + 0.5);
      const y = affine.y + affine.yx * (column + 0.5) + affine.yy * (row + 0.5);
      if (x >= 0 && y >= 0 && x < from.width && y < from.height) {
        const at = (Math.floor(y) * from.width + Math.floor(x)) * channels;
        for (let c = 0; c < channels; c++) out[to + c] = data[at + c]!;
      } else {
        for (let c = 0; c < channels; c++) out[to + c] = fill[c]!;
      }
    }
  }
  return out;
}

/**
 * Like {@link warpNearest}, but takes the bilinear value at the point; border pixels extend half a pixel beyond their
 * centres.
 */
export function warpBilinear(
  from: Raster,
  size: Size,
  affine: Affine,
  fill: readonly number[],
): Uint8Array | Float32Array {
  const { data, channels } = from;
  // Storing into bytes truncates, so adding half a level rounds.
  const half = data instanceof Uint8Array ? 0.5 : 0;
  const rounded = fill.map((value) => value + half);
  if (hitsCentres(affine)) return warpNearest(from, size, affine, rounded);
  const { height, width } = size;
  const out = emptyLike(data, height * width * channels);
  const [lastX, lastY] = [from.width - 1, from.height - 1];
  for (let row = 0, to = 0; row < height; row++) {
    for (let column = 0; column < width; column++, to += channels) {
      const x = affine.x + affine.xx * (column + 0.5) + affine.xy * (row + 0.5);
      const y = affine.y + affine.yx * (column + 0.5) + affine.yy * (row + 0.5);
      if (!(x >= 0 && y >= 0 && x < from.width && y < from.height)) {
        for (let c = 0; c < channels; c++) out[to + c] = rounded[c]!;
        continue;
      }
      const left = Math.floor(x - 0.5);
      const top = Math.floor(y - 0.5);
      const partX = x - 0.5 - left;
      const partY = y - 0.5 - top;
      const above = Math.max(top, 0) * from.width;
      const below = (top < lastY ? top + 1 : lastY) * from.width;
      const west = Math.max(left, 0);
      const east = left < lastX ? left + 1 : lastX;
      let northWest = (above + west) * channels;
      let northEast = (above + east) * channels;
      let southWest = (below + west) * channels;
      let southEast = (below + east) * channels;
      for (let c = 0; c < channels; c++) {
        const upper = data[northWest]! + (data[northEast++]! - data[northWest++]!) * partX;
        const lower = data[southWest]! + (data[southEast++]! - data[southWest++]!) * partX;
        out[to + c] = upper + (lower - upper) * partY + half;
      }
    }
  }
  return out;
}

function emptyLike(data: Uint8Array | Float32Array, length: number): Uint8Array | Float32Array {
  return data instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
}

/** Whether every pixel centre of the result falls on a pixel centre of the image. */
function hitsCentres({ x, xx, xy, y, yx, yy }: Affine): boolean {
  return xy === 0 && yx === 0 && Math.abs(xx) === 1 && yy === 1 && Number.isInteger(x) && Number.isInteger(y);
}
