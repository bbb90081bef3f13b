import { at, build, mean, type Nd, range } from "../nd.js";

/** Group normalisation by two passes over the channels of each group of each image of x [N, C, H, W]. */
export function groupNorm(x: Nd, weight: Nd, bias: Nd, groups: number, eps: number): Nd {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const width = c / groups;
  const stats = range(n * groups).map((id) => {
    const [image, first] = [Math.floor(id / groups), (id % groups) * width];
    const index = (i: number) => [image, first + Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w];
    const values = range(width * h * w).map((i) => at(x, index(i)));
    const m = mean(values);
    return { m, v: mean(values.map((value) => (value - m) ** 2)) };
  });
  return build(x.shape, (i) => {
    const { m, v } = stats[i[0]! * groups + Math.floor(i[1]! / width)]!;
    return ((at(x, i) - m) / Math.sqrt(v + eps)) * weight.data[i[1]!]! + bias.data[i[1]!]!;
  });
}

/**
 * Batch normalisation of x [N, C, H, W] by the batch's own statistics: the images, one below the other, are one image.
 */
export function batchNorm(x: Nd, weight: Nd, bias: Nd, eps: number): Nd {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const stacked = build([1, c, n * h, w], ([, channel, y, column]) =>
    at(x, [Math.floor(y! / h), channel!, y! % h, column!]),
  );
  const y = groupNorm(stacked, weight, bias, c, eps);
  return build(x.shape, ([image, channel, row, column]) => at(y, [0, channel!, image! * h + row!, column!]));
}

/** Layer normalisation of each row of x [rows, size], whose last dims are one here: a group norm of one group. */
export function layerNorm(x: Nd, weight: Nd, bias: Nd, eps: number): Nd {
  const [rows, size] = x.shape as [number, number];
  const { data } = groupNorm({ shape: [rows, size, 1, 1], data: x.data }, weight, bias, 1, eps);
  return { shape: x.shape, data };
}
