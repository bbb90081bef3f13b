import { at, atOr, build, mean, type Nd, range } from "../nd.js";

/** A pooling with equal numbers for both axes. */
export interface Pool {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
  readonly ceilMode: boolean;
}

/** Output length along one axis, as in PyTorch's `pooling_output_shape`. */
export function pooledSize(size: number, { kernel, stride, padding, dilation, ceilMode }: Pool): number {
  const spare = size + 2 * padding - dilation * (kernel - 1) - 1;
  const count = (ceilMode ? Math.ceil(spare / stride) : Math.floor(spare / stride)) + 1;
  return ceilMode && (count - 1) * stride >= size + padding ? count - 1 : count;
}

function pooled(x: Nd, p: Pool): [number, number, number, number] {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  return [n, c, pooledSize(h, p), pooledSize(w, p)];
}

/** Largest value of each pooling window of x [N, C, H, W]. */
export const maxPool = (x: Nd, p: Pool): Nd =>
  build(pooled(x, p), ([n, c, oy, ox]) => {
    const tap = (o: number, k: number) => o * p.stride - p.padding + k * p.dilation;
    const values = range(p.kernel).flatMap((ky) =>
      range(p.kernel).map((kx) => atOr(x, [n!, c!, tap(oy!, ky), tap(ox!, kx)], -Infinity)),
    );
    return Math.max(...values);
  });

/**
 * Mean of each pooling window of x [N, C, H, W]. As in PyTorch, a pooling window that reaches past the padding is cut
 * there before its size is taken.
 */
export const avgPool = (x: Nd, p: Pool, countIncludePad: boolean): Nd =>
  build(pooled(x, p), ([n, c, oy, ox]) => {
    const limits = [x.shape[2]! + p.padding, x.shape[3]! + p.padding];
    let sum = 0;
    let inside = 0;
    let counted = 0;
    for (const ky of range(p.kernel)) {
      for (const kx of range(p.kernel)) {
        const [iy, ix] = [oy! * p.stride - p.padding + ky, ox! * p.stride - p.padding + kx];
        if (iy < limits[0]! && ix < limits[1]!) counted++;
        if (iy >= 0 && ix >= 0 && iy < x.shape[2]! && ix < x.shape[3]!) {
          inside++;
          sum += at(x, [n!, c!, iy, ix]);
        }
      }
    }
    return sum / (countIncludePad ? counted : inside);
  });

/**
 * Mean of x [N, C, H, W] over windows that divide it evenly to `size`: an output holds the pixels that overlap its
 * share of the image, by any part.
 */
export const adaptiveAvgPool = (x: Nd, [height, width]: readonly [number, number]): Nd =>
  build([x.shape[0]!, x.shape[1]!, height, width], ([n, c, oy, ox]) => {
    // Pixel i covers [i, i + 1) of `size`, output o the range [o, o + 1) of `count` scaled to it.
    const overlaps = (i: number, o: number, size: number, count: number) =>
      i * count < (o + 1) * size && (i + 1) * count > o * size;
    const rows = range(x.shape[2]!).filter((i) => overlaps(i, oy!, x.shape[2]!, height));
    const columns = range(x.shape[3]!).filter((i) => overlaps(i, ox!, x.shape[3]!, width));
    return mean(rows.flatMap((row) => columns.map((column) => at(x, [n!, c!, row, column]))));
  });
