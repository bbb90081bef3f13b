import { at, build, mean, type Nd, range } from "../nd.js";

/** Statistics by two passes over each channel of x [N, C, H, W]. */
export function batchNorm(x: Nd, weight: Nd, bias: Nd, eps: number): Nd {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const stats = range(c).map((channel) => {
    const values = range(n * h * w).map((i) => at(x, [Math.floor(i / (h * w)), channel, Math.floor(i / w) % h, i % w]));
    const m = mean(values);
    return { m, v: mean(values.map((value) => (value - m) ** 2)) };
  });
  return build(x.shape, (i) => {
    const { m, v } = stats[i[1]!]!;
    return ((at(x, i) - m) / Math.sqrt(v + eps)) * weight.data[i[1]!]! + bias.data[i[1]!]!;
  });
}
