import { at, build, mean, type Nd, range } from "../nd.js";

/** Statistics by two passes over the channels of each group of each image of x [N, C, H, W]. */
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
