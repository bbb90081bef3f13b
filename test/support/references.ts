import { at, atOr, build, type Nd, replaced } from "./nd.js";

/** Float64 references in gather form over logical indices; slow on purpose. */

export interface Pool {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
  readonly ceilMode: boolean;
}

/** PyTorch's pooling_output_shape. */
export function pooledSize(size: number, { kernel, stride, padding, dilation, ceilMode }: Pool): number {
  const spare = size + 2 * padding - dilation * (kernel - 1) - 1;
  const count = (ceilMode ? Math.ceil(spare / stride) : Math.floor(spare / stride)) + 1;
  return ceilMode && (count - 1) * stride >= size + padding ? count - 1 : count;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

function pooled(x: Nd, p: Pool): [number, number, number, number] {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  return [n, c, pooledSize(h, p), pooledSize(w, p)];
}

export const maxPool = (x: Nd, p: Pool): Nd =>
  build(pooled(x, p), ([n, c, oy, ox]) => {
    const tap = (o: number, k: number) => o * p.stride - p.padding + k * p.dilation;
    const values = range(p.kernel).flatMap((ky) =>
      range(p.kernel).map((kx) => atOr(x, [n!, c!, tap(oy!, ky), tap(ox!, kx)], -Infinity)),
    );
    return Math.max(...values);
  });

/** As in PyTorch, a window that hangs over the padding is cut at the padding before its size is taken. */
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

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

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

/** torch.nn.functional.local_response_norm: the window reaches size / 2 channels back. */
export const localResponseNorm = (x: Nd, o: { size: number; alpha: number; beta: number; k: number }): Nd =>
  build(x.shape, (i) => {
    const squares = range(o.size).map(
      (d) => atOr(x, [i[0]!, i[1]! + d - Math.floor(o.size / 2), ...i.slice(2)], 0) ** 2,
    );
    return at(x, i) / (o.k + o.alpha * mean(squares)) ** o.beta;
  });

export function nearest(x: Nd, outH: number, outW: number): Nd {
  const source = (o: number, size: number, out: number) => Math.min(Math.floor(o * Math.fround(size / out)), size - 1);
  return build([x.shape[0]!, x.shape[1]!, outH, outW], ([n, c, y, z]) =>
    at(x, [n!, c!, source(y!, x.shape[2]!, outH), source(z!, x.shape[3]!, outW)]),
  );
}

/** Sum over all pixels of the tent function around the sampled position. */
export function bilinear(x: Nd, outH: number, outW: number, alignCorners: boolean): Nd {
  const position = (o: number, size: number, out: number) => {
    const p = alignCorners ? (out > 1 ? (o * (size - 1)) / (out - 1) : 0) : ((o + 0.5) * size) / out - 0.5;
    return Math.min(Math.max(p, 0), size - 1);
  };
  const tent = (d: number) => Math.max(0, 1 - Math.abs(d));
  return build([x.shape[0]!, x.shape[1]!, outH, outW], ([n, c, oy, ox]) => {
    const [py, px] = [position(oy!, x.shape[2]!, outH), position(ox!, x.shape[3]!, outW)];
    let sum = 0;
    for (const y of range(x.shape[2]!)) {
      for (const z of range(x.shape[3]!)) sum += at(x, [n!, c!, y, z]) * tent(py - y) * tent(px - z);
    }
    return sum;
  });
}

const line = (x: Nd, index: readonly number[], dim: number): number[] =>
  range(x.shape[dim]!).map((v) => at(x, replaced(index, dim, v)));

export const softmax = (x: Nd, dim: number): Nd =>
  build(x.shape, (i) => 1 / line(x, i, dim).reduce((sum, v) => sum + Math.exp(v - at(x, i)), 0));

export function logSoftmax(x: Nd, dim: number): Nd {
  const y = softmax(x, dim);
  return { shape: y.shape, data: y.data.map(Math.log) };
}

export interface Loss {
  readonly labels: Nd;
  readonly ignoreIndex: number;
  readonly weight?: Nd;
  readonly reduction: "mean" | "sum" | "none";
}

/** logits [N, C, H, W], labels [N, H, W]. */
export function crossEntropy(logits: Nd, { labels, ignoreIndex, weight, reduction }: Loss): Nd {
  const logP = logSoftmax(logits, 1);
  const weightOf = (label: number) => (label === ignoreIndex ? 0 : (weight?.data[label] ?? 1));
  const each = build(labels.shape, (i) => {
    const label = at(labels, i);
    return label === ignoreIndex ? 0 : -weightOf(label) * at(logP, [i[0]!, label, ...i.slice(1)]);
  });
  if (reduction === "none") return each;
  const sum = each.data.reduce((a, b) => a + b, 0);
  const divisor = reduction === "mean" ? labels.data.reduce((total, label) => total + weightOf(label), 0) : 1;
  return build([], () => sum / divisor);
}

export function reduce(x: Nd, dims: readonly number[], keepdim: boolean, fold: (values: number[]) => number): Nd {
  const kept = x.shape.map((n, d) => (dims.includes(d) ? 1 : n));
  const y = build(kept, (i) => {
    const box = x.shape.map((n, d) => (dims.includes(d) ? n : 1));
    const values: number[] = [];
    build(box, (b) =>
      values.push(
        at(
          x,
          i.map((v, d) => v + b[d]!),
        ),
      ),
    );
    return fold(values);
  });
  return keepdim ? y : { shape: x.shape.filter((_, d) => !dims.includes(d)), data: y.data };
}

/** a [..., M, K] times b [..., K, N] into `shape`. */
export const matmul = (a: Nd, b: Nd, shape: readonly number[]): Nd =>
  build(shape, (i) => {
    const [batch, [m, n]] = [i.slice(0, -2), i.slice(-2)];
    return range(a.shape.at(-1)!).reduce((sum, k) => sum + at(a, [...batch, m!, k]) * at(b, [...batch, k, n!]), 0);
  });
