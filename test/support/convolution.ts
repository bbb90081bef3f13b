import type { Conv2dGeometry, Direction } from "@fcn/kernels";
import * as reference from "@fcn/kernels/reference";
import { conv2d, convTranspose2d, type Device, mul, sum, type Tensor } from "@fcn/tensor";
import fc from "fast-check";
import { geometryOf as geometryOfSizes } from "../../bench/lib/convolutions.mjs";
import { type Budget, expectWithin, tolerance } from "./golden.js";
import { uniform } from "./hash-values.js";

export const sides = (g: Conv2dGeometry) => ({
  large: [g.n, g.inC, g.inH, g.inW],
  small: [g.n, g.outC, g.outH, g.outW],
  weight: [g.outC, g.inC / g.groups, g.kernelH, g.kernelW],
});

/** Sizes of a convolution by hand; what is left out is 1, or 0 for the padding. */
export interface ConvCase {
  readonly n?: number;
  readonly channels: readonly [number, number];
  readonly size: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly stride?: readonly [number, number];
  readonly padding?: readonly [number, number];
  readonly dilation?: readonly [number, number];
  readonly groups?: number;
}

/** `size` is the larger side: the input of a convolution, the output of a transposed one. */
export const geometryOf: (sizes: ConvCase) => Conv2dGeometry = geometryOfSizes;

const channelCounts = [1, 3, 4, 5, 8, 21] as const;

/** Products of one pass, a bound on the time of the float64 reference. */
const MAX_PRODUCTS = 300_000;

function productsOf(g: Conv2dGeometry): number {
  return ((g.n * g.inC * g.outC) / g.groups) * g.outH * g.outW * g.kernelH * g.kernelW;
}

function axis() {
  return fc
    .record({
      // 1 and both sides of the 8, 16 and 32 pixels of a tile come more often than others.
      size: fc.oneof(fc.constantFrom(1, 7, 8, 9, 15, 16, 17, 31, 33), fc.integer({ min: 1, max: 24 })),
      kernel: fc.integer({ min: 1, max: 5 }),
      stride: fc.integer({ min: 1, max: 6 }),
      padding: fc.integer({ min: 0, max: 6 }),
      dilation: fc.integer({ min: 1, max: 4 }),
    })
    .filter(({ size, kernel, padding, dilation }) => size + 2 * padding > dilation * (kernel - 1));
}

/** Random convolutions: any stride against any kernel, any padding, groups and depthwise. */
export function geometries(): fc.Arbitrary<Conv2dGeometry> {
  const channels = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.tuple(
        fc.constantFrom(...channelCounts),
        fc.constantFrom(...channelCounts),
        fc.integer({ min: 1, max: 3 }),
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom(...channelCounts).map((c) => [1, 1, c] as const) },
  );
  return fc
    .tuple(fc.integer({ min: 1, max: 2 }), channels, axis(), axis())
    .map(([n, [cin, cout, groups], h, w]) =>
      geometryOf({
        n,
        groups,
        channels: [cin * groups, cout * groups],
        size: [h.size, w.size],
        kernel: [h.kernel, w.kernel],
        stride: [h.stride, w.stride],
        padding: [h.padding, w.padding],
        dilation: [h.dilation, w.dilation],
      }),
    )
    .filter((g) => productsOf(g) <= MAX_PRODUCTS);
}

function options(g: Conv2dGeometry) {
  return {
    stride: [g.strideH, g.strideW] as const,
    padding: [g.padH, g.padW] as const,
    dilation: [g.dilationH, g.dilationW] as const,
    groups: g.groups,
  };
}

/** The op of one direction; the output padding is what makes the transposed one end at the larger side. */
export function apply(direction: Direction, g: Conv2dGeometry, x: Tensor, w: Tensor, b?: Tensor): Tensor {
  if (direction === "forward") return conv2d(x, w, b, options(g));
  const left = (size: number, out: number, kernel: number, stride: number, pad: number, dilation: number) =>
    size - ((out - 1) * stride - 2 * pad + dilation * (kernel - 1) + 1);
  const outputPadding = [
    left(g.inH, g.outH, g.kernelH, g.strideH, g.padH, g.dilationH),
    left(g.inW, g.outW, g.kernelW, g.strideW, g.padW, g.dilationW),
  ] as const;
  return convTranspose2d(x, w, b, { ...options(g), outputPadding });
}

interface Problem {
  readonly x: Float32Array;
  readonly w: Float32Array;
  readonly b: Float32Array;
  /** Gradient that arrives at the output. */
  readonly dy: Float32Array;
  readonly shapes: { readonly x: number[]; readonly w: number[]; readonly b: number[]; readonly y: number[] };
}

function problemOf(direction: Direction, g: Conv2dGeometry): Problem {
  const { large, small, weight } = sides(g);
  const [x, y] = direction === "forward" ? [large, small] : [small, large];
  const shapes = { x, w: weight, b: [y[1]!], y };
  return {
    x: uniform("x", shapes.x, 1),
    w: uniform("w", shapes.w, 1),
    b: uniform("b", shapes.b, 1),
    dy: uniform("dy", shapes.y, 1),
    shapes,
  };
}

/**
 * Sums of `terms` products of numbers in [-1, 1), whose root mean square is 1/3: partial sums are of the order of
 * sqrt(terms) / 3, and of 1 where there are few.
 */
const budgetFor = (terms: number): Budget => ({ terms: Math.max(1, terms), scale: Math.max(1, Math.sqrt(terms) / 3) });

/** Most products that meet in one element of each side. */
export function termsOf(g: Conv2dGeometry): { large: number; small: number; weight: number } {
  const { large, small, weight } = sides(g);
  const count = (shape: number[]) => new Uint32Array(shape.reduce((a, b) => a * b, 1));
  const [xs, ys, ws] = [count(large), count(small), count(weight)];
  reference.forEachConv2dProduct(g, (x, w, y) => {
    xs[x]!++;
    ws[w]!++;
    ys[y]!++;
  });
  const most = (counts: Uint32Array) => counts.reduce((a, b) => Math.max(a, b), 0);
  return { large: most(xs), small: most(ys), weight: most(ws) };
}

function resultOf(
  direction: Direction,
  g: Conv2dGeometry,
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  b?: ArrayLike<number>,
) {
  return direction === "forward" ? reference.conv2d(g, x, w, b) : reference.convTranspose2d(g, x, w, b);
}

export function compare(
  what: string,
  got: ArrayLike<number>,
  shape: number[],
  want: Float64Array,
  terms: number,
): void {
  expectWithin(what, got, { dtype: "float32", shape, data: want as unknown as Float32Array }, budgetFor(terms));
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

/** Sums of the output gradient over everything but its channels. */
function channelSums(dy: Float32Array, [n, channels, h, w]: number[]): Float64Array {
  const total = new Float64Array(channels!);
  const size = h! * w!;
  for (let i = 0; i < n! * channels! * size; i++) total[Math.floor(i / size) % channels!]! += dy[i]!;
  return total;
}

/** Value and the gradients of x, w and b of one direction, each element against the float64 reference. */
export async function checkAgainstReference(device: Device, direction: Direction, g: Conv2dGeometry): Promise<void> {
  const { x, w, b, dy, shapes } = problemOf(direction, g);
  const most = termsOf(g);
  const forward = direction === "forward";
  await device.scope(async () => {
    const [tx, tw, tb] = [
      device.tensor(x, shapes.x, { requiresGrad: true }),
      device.tensor(w, shapes.w, { requiresGrad: true }),
      device.tensor(b, shapes.b, { requiresGrad: true }),
    ];
    const y = apply(direction, g, tx, tw, tb);
    if (y.shape.join() !== shapes.y.join()) throw new Error(`shape [${y.shape}], want [${shapes.y}]`);
    sum(mul(y, device.tensor(dy, shapes.y))).backward();
    const [value, dx, dw, db] = [await y.data(), await tx.grad!.data(), await tw.grad!.data(), await tb.grad!.data()];
    const [outTerms, inTerms] = forward ? [most.small, most.large] : [most.large, most.small];
    compare("value", value, shapes.y, resultOf(direction, g, x, w, b), outTerms + 1);
    compare("gradient of x", dx, shapes.x, resultOf(forward ? "transposed" : "forward", g, dy, w), inTerms);
    const [larger, smaller] = forward ? [x, dy] : [dy, x];
    compare("gradient of w", dw, shapes.w, reference.conv2dWeightGradient(g, larger, smaller), most.weight);
    compare("gradient of b", db, shapes.b, channelSums(dy, shapes.y), dy.length / shapes.b[0]!);
    checkDirections(direction, g, { x, w, b, dy, shapes }, { dx, dw, db }, [inTerms, most.weight]);
  });
}

/** The value of one direction alone, for shapes whose gradients would take long. */
export async function checkValue(device: Device, direction: Direction, g: Conv2dGeometry): Promise<void> {
  const { x, w, b, shapes } = problemOf(direction, g);
  const most = termsOf(g);
  await device.scope(async () => {
    const y = apply(direction, g, device.tensor(x, shapes.x), device.tensor(w, shapes.w), device.tensor(b, shapes.b));
    const want = resultOf(direction, g, x, w, b);
    compare("value", await y.data(), shapes.y, want, (direction === "forward" ? most.small : most.large) + 1);
  });
}

/** <gradient, d> against the central difference of the float64 reference along d, for x, w and b. */
function checkDirections(
  direction: Direction,
  g: Conv2dGeometry,
  { x, w, b, dy, shapes }: Problem,
  { dx, dw, db }: Record<"dx" | "dw" | "db", ArrayLike<number>>,
  [xTerms, wTerms]: [number, number],
): void {
  const loss = (px: ArrayLike<number>, pw: ArrayLike<number>, pb: ArrayLike<number>) =>
    dot(resultOf(direction, g, px, pw, pb), dy);
  const step = 2 ** -10;
  const moved = (from: Float32Array, along: Float32Array, by: number) =>
    Float64Array.from(from, (v, i) => v + by * along[i]!);
  const check = (
    name: string,
    gradient: ArrayLike<number>,
    along: Float32Array,
    terms: number,
    at: (by: number) => number,
  ) => {
    const want = (at(step) - at(-step)) / (2 * step);
    // The errors of single elements walk at random through the inner product.
    const each = tolerance(0, budgetFor(terms));
    const allowed = each * Math.sqrt(along.length) + 1e-9 * Math.max(1, dy.length);
    const off = Math.abs(dot(gradient, along) - want);
    if (!(off <= allowed))
      throw new Error(`${name} along a direction: off by ${off}, allowed ${allowed}, want ${want}`);
  };
  const along = {
    x: uniform("along x", shapes.x, 1),
    w: uniform("along w", shapes.w, 1),
    b: uniform("along b", shapes.b, 1),
  };
  check("gradient of x", dx, along.x, xTerms, (by) => loss(moved(x, along.x, by), w, b));
  check("gradient of w", dw, along.w, wTerms, (by) => loss(x, moved(w, along.w, by), b));
  check("gradient of b", db, along.b, dy.length / b.length, (by) => loss(x, w, moved(b, along.b, by)));
}

/** <conv(x), y> = <x, convTranspose(y)>, both computed on the device. */
export async function checkAdjoint(device: Device, g: Conv2dGeometry): Promise<void> {
  const { large, small, weight } = sides(g);
  const [x, y, w] = [uniform("large", large, 1), uniform("small", small, 1), uniform("w", weight, 1)];
  const most = termsOf(g);
  await device.scope(async () => {
    const tw = device.tensor(w, weight);
    const forward = await apply("forward", g, device.tensor(x, large), tw).data();
    const back = await apply("transposed", g, device.tensor(y, small), tw).data();
    const [left, right] = [dot(forward, y), dot(x, back)];
    const each = (terms: number, count: number) => tolerance(0, budgetFor(terms)) * Math.sqrt(count);
    const allowed = each(most.small, y.length) + each(most.large, x.length);
    if (!(Math.abs(left - right) <= allowed)) {
      throw new Error(`<conv(x), y> = ${left}, <x, convTranspose(y)> = ${right}; allowed difference ${allowed}`);
    }
  });
}
