import { erfReference } from "@fcn/kernels";
import { full, random } from "../core/create.js";
import type { Tensor } from "../core/tensor.js";
import { assign } from "../ops/assign.js";
import { checkReal } from "../ops/operands.js";
import { add, erfinv, mul } from "../ops/pointwise.generated.js";
import { clamp } from "../ops/pointwise.js";
import { bilinearRow } from "../plain/bilinear.js";
import { invalidArgument, invalidShape, show } from "../plain/errors.js";
import type { Distribution } from "../plain/makeOptions.js";
import { checkOptions, checkValues } from "../plain/options.js";
import { finite, from, oneOf, positive, type RulesOf, seed as seedRule } from "../plain/rules.js";

/** Options of a filler that draws random numbers. */
export interface SeedOptions {
  /** Whole number of at least 0 that determines the values. Default: a different one for each call on the device. */
  readonly seed?: number;
}

export interface UniformOptions extends SeedOptions {
  /** Lower bound. Default 0. */
  readonly a?: number;
  /** Upper bound, which is excluded. Default 1. */
  readonly b?: number;
}

export interface NormalOptions extends SeedOptions {
  /** Default 0. */
  readonly mean?: number;
  /** Standard deviation. Default 1. */
  readonly std?: number;
}

export interface TruncNormalOptions extends NormalOptions {
  /** Lower bound of the values. Default -2. */
  readonly a?: number;
  /** Upper bound of the values. Default 2. */
  readonly b?: number;
}

export interface XavierOptions extends SeedOptions {
  /** Factor on the standard deviation, such as {@link calculateGain} gives. Default 1. */
  readonly gain?: number;
}

/** What follows a layer, as {@link calculateGain} knows it. */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

export interface KaimingOptions extends SeedOptions {
  /** Negative slope of the leaky ReLU that follows; read with "leakyRelu" only. Default 0. */
  readonly a?: number;
  /** "fanIn" keeps the size of values in the forward pass, "fanOut" that of gradients. Default "fanIn". */
  readonly mode?: "fanIn" | "fanOut";
  /** Default "leakyRelu". */
  readonly nonlinearity?: Nonlinearity;
}

const NONLINEARITY = oneOf<Nonlinearity>("linear", "sigmoid", "tanh", "relu", "leakyRelu", "selu");

const SEED: RulesOf<SeedOptions> = { seed: seedRule };

const KAIMING: RulesOf<KaimingOptions> = {
  ...SEED,
  a: finite,
  mode: oneOf("fanIn", "fanOut"),
  nonlinearity: NONLINEARITY,
};

/** Writes a tensor that `make` gives into t, in the name of a filler. */
function fill(op: string, t: Tensor, make: (name: string) => Tensor): Tensor {
  const name = `nn.init.${op}`;
  checkReal(name, "tensor", t);
  using values = make(name);
  assign(t, values);
  return t;
}

/** `distribution` checks the options before the seed among them is read. */
const draw = (op: string, t: Tensor, options: SeedOptions, distribution: () => Distribution): Tensor =>
  fill(op, t, (name) => {
    const drawn = distribution();
    const { seed } = options;
    return random(name, t.runtime, t.shape, drawn, { tracked: false, ...(seed === undefined ? {} : { seed }) });
  });

const drawUniform = (op: string, t: Tensor, options: SeedOptions, bound: () => number): Tensor =>
  draw(op, t, options, () => ({ mode: "uniform", a: -bound(), b: bound() }));

const drawNormal = (op: string, t: Tensor, options: SeedOptions, std: () => number): Tensor =>
  draw(op, t, options, () => ({ mode: "normal", a: 0, b: std() }));

/**
 * Fills t, float32 or float16 of any shape, with numbers that are uniform in [a, b), and returns it
 * (torch.nn.init.uniform_). Values go into the tensor's memory, so optimisers and captured steps see them. Throws
 * `invalid-dtype` for an int32 tensor and `invalid-argument` for options out of range; so do all functions of nn.init
 * that end in an underscore.
 */
export function uniform_(t: Tensor, options: UniformOptions = {}): Tensor {
  checkOptions<UniformOptions>("nn.init.uniform_", options, { ...SEED, a: finite, b: finite });
  const { a = 0, b = 1 } = options;
  if (a > b) throw invalidArgument(`nn.init.uniform_: a is ${a} and b ${b}`, "pass bounds with a <= b");
  return draw("uniform_", t, options, () => ({ mode: "uniform", a, b }));
}

/** Fills t with normal numbers and returns it (torch.nn.init.normal_). */
export function normal_(t: Tensor, options: NormalOptions = {}): Tensor {
  checkOptions<NormalOptions>("nn.init.normal_", options, { ...SEED, mean: finite, std: from(0) });
  const { mean = 0, std = 1 } = options;
  return draw("normal_", t, options, () => ({ mode: "normal", a: mean, b: std }));
}

/**
 * Fills t with numbers of a normal distribution that ends at a and b, and returns it (torch.nn.init.trunc_normal_). The
 * bounds are values, not multiples of the deviation. As in PyTorch, the mean should not lie more than two deviations
 * outside of them, where few numbers of float32 are left to draw from.
 */
export function truncNormal_(t: Tensor, options: TruncNormalOptions = {}): Tensor {
  const rules = { ...SEED, mean: finite, std: positive, a: finite, b: finite };
  checkOptions<TruncNormalOptions>("nn.init.truncNormal_", options, rules);
  const { mean = 0, std = 1, a = -2, b = 2, seed } = options;
  if (a > b) throw invalidArgument(`nn.init.truncNormal_: a is ${a} and b ${b}`, "pass bounds with a <= b");
  const spread = std * Math.SQRT2;
  const [low, high] = [a, b].map((bound) => erfReference((bound - mean) / spread)) as [number, number];
  return fill("truncNormal_", t, (name) => {
    const seeded = seed === undefined ? {} : { seed };
    using part = random(name, t.runtime, t.shape, { mode: "uniform", a: low, b: high }, { tracked: false, ...seeded });
    using turned = erfinv(part);
    using scaled = mul(turned, spread);
    using moved = add(scaled, mean);
    return clamp(moved, { min: a, max: b });
  });
}

/** Fills t with one value and returns it (torch.nn.init.constant_). */
export function constant_(t: Tensor, value: number): Tensor {
  return fill("constant_", t, (name) => full(name, t.runtime, t.shape, value, { tracked: false }));
}

/** Fills t with 0 and returns it (torch.nn.init.zeros_). */
export const zeros_ = (t: Tensor): Tensor => constant_(t, 0);

/** Fills t with 1 and returns it (torch.nn.init.ones_). */
export const ones_ = (t: Tensor): Tensor => constant_(t, 1);

/**
 * Fills a weight with numbers that are uniform within gain sqrt(6 / (fanIn + fanOut)), and returns it
 * (torch.nn.init.xavier_uniform_; Glorot and Bengio 2010). As in PyTorch, fanIn is the second size of the weight times
 * the area of its kernel and fanOut the first size times that area, for transposed convolutions too. Throws
 * `invalid-shape` for fewer than two dimensions.
 *
 * @example
 * ```ts
 * import { createDevice, nn } from "@fcn/tensor";
 *
 * const device = await createDevice();
 * const net = new nn.Sequential(new nn.Conv2d(device, 3, 8, { kernelSize: 3 }), new nn.ReLU());
 * for (const [name, parameter] of net.namedParameters()) {
 *   if (name.endsWith("weight")) nn.init.xavierUniform_(parameter, { seed: 1 });
 *   else nn.init.zeros_(parameter);
 * }
 * device.destroy();
 * ```
 */
export function xavierUniform_(t: Tensor, options: XavierOptions = {}): Tensor {
  return drawUniform("xavierUniform_", t, options, () => Math.sqrt(3) * xavierStd("xavierUniform_", t, options));
}

/**
 * Fills a weight with normal numbers of deviation gain sqrt(2 / (fanIn + fanOut)), and returns it
 * (torch.nn.init.xavier_normal_). The fans are those of {@link xavierUniform_}.
 */
export function xavierNormal_(t: Tensor, options: XavierOptions = {}): Tensor {
  return drawNormal("xavierNormal_", t, options, () => xavierStd("xavierNormal_", t, options));
}

/**
 * Fills a weight with numbers that are uniform within gain sqrt(3 / fan), where the gain is that of
 * {@link calculateGain}, and returns it (torch.nn.init.kaiming_uniform_; He et al. 2015). The fans are those of
 * {@link xavierUniform_}.
 */
export function kaimingUniform_(t: Tensor, options: KaimingOptions = {}): Tensor {
  return drawUniform("kaimingUniform_", t, options, () => Math.sqrt(3) * kaimingStd("kaimingUniform_", t, options));
}

/**
 * Fills a weight with normal numbers of deviation gain / sqrt(fan), and returns it (torch.nn.init.kaiming_normal_).
 * The gain and the fans are those of {@link kaimingUniform_}.
 */
export function kaimingNormal_(t: Tensor, options: KaimingOptions = {}): Tensor {
  return drawNormal("kaimingNormal_", t, options, () => kaimingStd("kaimingNormal_", t, options));
}

/**
 * Fills the weight of a transposed convolution, [channels, channels, kh, kw], or [channels, 1, kh, kw] with `groups` =
 * channels, with the kernel of bilinear upsampling from each channel to itself and 0 elsewhere, and returns it (the
 * start of the upsampling layers in Long, Shelhamer and Darrell 2015). To upsample by s, the kernel size is 2s - s % 2.
 * Throws `invalid-shape` for a weight of another form.
 */
export function bilinear_(t: Tensor): Tensor {
  checkReal("nn.init.bilinear_", "tensor", t);
  const [rows, columns, height, width] = t.shape as [number, number, number, number];
  if (t.shape.length !== 4 || (columns !== rows && columns !== 1)) {
    throw invalidShape(
      `nn.init.bilinear_: the tensor has shape ${show(t.shape)}, expected [channels, channels, kh, kw] or [channels, 1, kh, kw]`,
      "pass the weight of a ConvTranspose2d with as many output as input channels, or with groups of one channel",
    );
  }
  const [vertical, horizontal] = [bilinearRow(height), bilinearRow(width)];
  const area = height * width;
  const data = new Float32Array(t.size);
  for (let row = 0; row < rows; row++) {
    const begin = (row * columns + (columns === 1 ? 0 : row)) * area;
    for (let i = 0; i < area; i++) data[begin + i] = vertical[Math.floor(i / width)]! * horizontal[i % width]!;
  }
  assign(t, data);
  return t;
}

/**
 * The factor by which a layer's weights should be larger than those of a linear one, for what follows it
 * (torch.nn.init.calculate_gain). `param` is the negative slope of "leakyRelu", by default 0.01.
 */
export function calculateGain(nonlinearity: Nonlinearity, param = 0.01): number {
  checkValues("nn.init.calculateGain", [
    ["nonlinearity", nonlinearity, NONLINEARITY],
    ["param", param, finite],
  ]);
  if (nonlinearity === "tanh") return 5 / 3;
  if (nonlinearity === "relu") return Math.SQRT2;
  if (nonlinearity === "leakyRelu") return Math.sqrt(2 / (1 + param ** 2));
  return nonlinearity === "selu" ? 3 / 4 : 1;
}

function xavierStd(op: string, t: Tensor, options: XavierOptions): number {
  checkOptions<XavierOptions>(`nn.init.${op}`, options, { ...SEED, gain: from(0) });
  const { fanIn, fanOut } = fansOf(op, t);
  return (options.gain ?? 1) * Math.sqrt(2 / (fanIn + fanOut));
}

function kaimingStd(op: string, t: Tensor, options: KaimingOptions): number {
  checkOptions<KaimingOptions>(`nn.init.${op}`, options, KAIMING);
  const { a = 0, mode = "fanIn", nonlinearity = "leakyRelu" } = options;
  return calculateGain(nonlinearity, a) / Math.sqrt(fansOf(op, t)[mode]);
}

/** torch.nn.init._calculate_fan_in_and_fan_out. */
function fansOf(op: string, { shape }: Tensor): { readonly fanIn: number; readonly fanOut: number } {
  const [first, second, ...kernel] = shape;
  if (first === undefined || second === undefined) {
    throw invalidShape(
      `nn.init.${op}: the tensor has shape ${show(shape)}, expected at least two dimensions to count inputs and outputs by`,
      "use uniform_, normal_ or zeros_ for a bias",
    );
  }
  const area = kernel.reduce((product, size) => product * size, 1);
  return { fanIn: second * area, fanOut: first * area };
}
