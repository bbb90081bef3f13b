import type { RandomPlan } from "@fcn/kernels";
import { invalidArgument, invalidDType, limitExceeded, show } from "./errors.js";
import type { Order } from "./layout.js";
import { checkOptions } from "./options.js";
import { boolean, checkedInUse, oneOf, type RulesOf, seed } from "./rules.js";
import { checkShape, elementsOf } from "./shape.js";
import { DTYPES, type DType } from "./types.js";

export interface MakeOptions {
  /** Default "float32". */
  readonly dtype?: DType;
  /** Whether `backward` computes a gradient; float32 only. Default false. */
  readonly requiresGrad?: boolean;
  /** @internal The memory format. */
  readonly order?: Order;
  /** @internal Untracked tensors belong to whoever made them: no scope frees them. */
  readonly tracked?: boolean;
}

export interface RandomOptions extends MakeOptions {
  /** Whole number of at least 0. Default: a different one for each call on the device. */
  readonly seed?: number;
}

/** Kernels number the elements of a tensor in a u32. */
const MOST_ELEMENTS = 2 ** 32 - 1;

/** Throws `limit-exceeded` if the shape has more elements than a kernel can number. */
export function checkElements(op: string, shape: readonly number[]): void {
  const elements = elementsOf(shape);
  if (elements <= MOST_ELEMENTS) return;
  throw limitExceeded(
    `${op}: shape ${show(shape)} has ${elements} elements (${(elements / 2 ** 28).toFixed(1)} GiB), a tensor holds at most ${MOST_ELEMENTS}`,
    "check the sizes; use a smaller batch or image, or several tensors",
  );
}

const MAKE: RulesOf<MakeOptions> = {
  dtype: oneOf(...DTYPES),
  requiresGrad: boolean,
  order: checkedInUse,
  tracked: boolean,
};
const RANDOM: RulesOf<RandomOptions> = { ...MAKE, seed, dtype: oneOf("float32") };

/** Throws unless a tensor of this shape can be made with these options. */
export function checkMake(op: string, shape: readonly number[], options: MakeOptions, random = false): void {
  checkOptions<MakeOptions>(op, options, random ? RANDOM : MAKE);
  const { dtype = "float32", requiresGrad } = options;
  checkShape(op, shape);
  checkElements(op, shape);
  if (requiresGrad) checkDifferentiable(op, dtype);
}

/** A distribution and its two parameters. */
export type Distribution = Required<Pick<RandomPlan, "mode" | "a" | "b">>;

/** Throws unless a tensor of this shape can be drawn from the distribution with these options. */
export function checkRandom(
  op: string,
  shape: readonly number[],
  { mode, a, b }: Distribution,
  options: RandomOptions,
): void {
  checkMake(op, shape, options, true);
  if (!(Number.isFinite(a) && Number.isFinite(b) && (mode !== "uniform" || a <= b))) {
    throw invalidArgument(`${op}: low is ${a} and high ${b}`, "pass finite numbers with low <= high");
  }
}

/** Throws `invalid-dtype` unless tensors of this dtype can have a gradient. */
export function checkDifferentiable(op: string, dtype: DType): void {
  if (dtype !== "int32") return;
  throw invalidDType(`${op}: requiresGrad is set for dtype ${dtype}, only tensors of floats have gradients`, {
    code: 'leave out requiresGrad, or use dtype "float32"',
  });
}
