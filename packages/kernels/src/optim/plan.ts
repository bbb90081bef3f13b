import { flatRanges } from "../bindingParts.js";
import type { ConstantValue, Kernel } from "../kernel.js";
import {
  type Binding,
  type Capabilities,
  ceilDiv,
  foldGrid,
  operandPart,
  type Plan,
  type Step,
  UNREAD,
  unwritten,
} from "../plan.js";
import { optimAdamw as ADAMW, optimSgd as SGD } from "../wgsl.generated.js";
import { type ScaledStepped, scaledParams, UNSCALED, type Updated } from "./scaled.js";

const WG = 64;

/** The settings of one SGD step, those of torch.optim.SGD. */
export interface SgdStep {
  readonly lr: number;
  readonly momentum: number;
  readonly dampening: number;
  readonly weightDecay: number;
  readonly nesterov: boolean;
}

/** The settings of one AdamW step, those of torch.optim.AdamW, or with `isCoupled` of torch.optim.Adam. */
export interface AdamWStep {
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weightDecay: number;
  /** Whether the decay is part of the gradient, and so of the moments. Default false. */
  readonly isCoupled?: boolean;
  /** Whether the largest second moment so far divides, which is an operand v2 of one parameter. Default false. */
  readonly amsgrad?: boolean;
}

/** A parameter in a step that depends on how many there were. */
export interface Stepped extends Updated {
  /** The number of the step, from 1. */
  readonly step: number;
}

/** One parameter, or two that are updated in one dispatch where each fits a binding. */
export type OneOrTwo<T extends Updated = Updated> = readonly [T] | readonly [T, T];

/**
 * One step of torch.optim.SGD. Operands: g (gradient), w (parameter) and, with momentum, m, all in one storage order;
 * g2, w2 and m2 of a second parameter.
 */
export const planSgd = (parameters: OneOrTwo, s: SgdStep, caps: Capabilities): Plan =>
  update(parameters, caps, sgd(s, UNSCALED));

/**
 * {@link planSgd} for a parameter that follows a GradScaler. Operands beside g, w and m: record (four floats) where the
 * step is guarded, and taken (twice four floats).
 */
export function planScaledSgd(parameter: ScaledStepped, s: SgdStep, caps: Capabilities): Plan {
  const { kernel, names, unused, constants, params } = sgd(s, scaledParams(parameter));
  const bound = { ...unused, ...scaledOperands(parameter) };
  const scaled = { kernel, names, unused: bound, constants: { ...constants, SCALED: true }, params };
  return update([parameter], caps, scaled);
}

function sgd(s: SgdStep, scaled: Readonly<Record<string, number>>): Update {
  const hasMomentum = s.momentum !== 0;
  return {
    kernel: SGD,
    names: hasMomentum ? ["g", "w", "m"] : ["g", "w"],
    unused: { m: unwritten("m"), g2: UNREAD, w2: unwritten("w2"), m2: unwritten("m2") },
    constants: { MOMENTUM: hasMomentum, NESTEROV: s.nesterov },
    params: () => ({ lr: s.lr, momentum: s.momentum, keep: 1 - s.dampening, weightDecay: s.weightDecay, ...scaled }),
  };
}

/**
 * One step of torch.optim.AdamW. Operands: g (gradient), w (parameter), m and v (moments), all in one storage order;
 * g2, w2, m2 and v2 of a second parameter, or with `amsgrad` v2 of the only one.
 */
export function planAdamW(parameters: OneOrTwo<Stepped>, s: AdamWStep, caps: Capabilities): Plan {
  const stepSize = ({ step }: Stepped) => s.lr / (1 - s.beta1 ** step);
  const correction = ({ step }: Stepped) => 1 / Math.sqrt(1 - s.beta2 ** step);
  return update(parameters, caps, {
    ...adamwUpdate(s),
    params: (a, b = a) => ({
      ...adamw(s),
      stepSize: stepSize(a),
      stepSize2: stepSize(b),
      correction: correction(a),
      correction2: correction(b),
      ...{ ...UNSCALED, lr: 0, logBeta1: 0, logBeta2: 0 },
    }),
  });
}

/**
 * {@link planAdamW} for a parameter that follows a GradScaler. Operands beside g, w, m and v: record (four floats)
 * where the step is guarded, and taken (twice four floats).
 */
export function planScaledAdamW(parameter: ScaledStepped, s: AdamWStep, caps: Capabilities): Plan {
  // The power of a beta of 0 is 0 in float32 from here on.
  const log = (beta: number) => Math.max(Math.log(beta), -200);
  const shared = adamwUpdate(s);
  return update([parameter], caps, {
    ...shared,
    unused: { ...shared.unused, ...scaledOperands(parameter) },
    constants: { ...shared.constants, SCALED: true },
    params: () => ({
      ...adamw(s),
      ...{ stepSize: 0, stepSize2: 0, correction: 0, correction2: 0 },
      ...{ ...scaledParams(parameter), lr: s.lr, logBeta1: log(s.beta1), logBeta2: log(s.beta2) },
    }),
  });
}

/** Made when it is asked for, so that a bundle without AdamW leaves its kernel out. */
const adamwUpdate = (s: AdamWStep) => ({
  kernel: ADAMW,
  names: ["g", "w", "m", "v", ...(s.amsgrad ? ["v2"] : [])],
  unused: { g2: UNREAD, w2: unwritten("w2"), m2: unwritten("m2"), v2: unwritten("v2") },
  constants: { COUPLED: isCoupled(s), AMSGRAD: s.amsgrad === true },
});

/** Whether there is a decay to add to gradients. */
const isCoupled = (s: AdamWStep): boolean => s.isCoupled === true && s.weightDecay !== 0;

const adamw = (s: AdamWStep) => ({
  decay: s.isCoupled ? 1 : 1 - s.lr * s.weightDecay,
  weightDecay: isCoupled(s) ? s.weightDecay : 0,
  keep1: 1 - s.beta1,
  beta2: s.beta2,
  keep2: 1 - s.beta2,
  eps: s.eps,
});

/** What is bound in the place of a second parameter. */
const scaledOperands = ({ isGuarded }: ScaledStepped): Readonly<Record<string, Binding>> => ({
  ...(isGuarded ? { g2: "record" } : {}),
  m2: "taken",
});

interface Update<T extends Updated = Updated> {
  readonly kernel: Kernel;
  /** What each parameter has of operands; those of the second are followed by 2. */
  readonly names: readonly string[];
  /** What is bound where there is no momentum, or no second parameter. */
  readonly unused: Readonly<Record<string, Binding>>;
  readonly constants: Readonly<Record<string, ConstantValue>>;
  readonly params: (first: T, second?: T) => Readonly<Record<string, number>>;
}

/** What a dispatch takes of a parameter: elements [begin, end), and 2 or nothing after the names of its operands. */
interface Part<T extends Updated> {
  readonly of: T;
  readonly begin: number;
  readonly end: number;
  readonly suffix: string;
}

/** One dispatch for both parameters, or one for as many elements of each as fit a binding. */
function update<T extends Updated>(parameters: OneOrTwo<T>, caps: Capabilities, u: Update<T>): Plan {
  const parts = parameters.map((of, i) =>
    flatRanges(of.count, caps).map((range): Part<T> => ({ of, ...range, suffix: i === 0 ? "" : "2" })),
  );
  if (parts.every(({ length }) => length === 1)) return { steps: [stepOf(parts.flat(), u)] };
  return { steps: parts.flat().map((part) => stepOf([part], u)) };
}

function stepOf<T extends Updated>(
  parts: readonly Part<T>[],
  { kernel, names, unused, constants, params }: Update<T>,
): Step {
  const vectors = parts.map(({ begin, end }) => ceilDiv(end - begin, 4));
  const count = vectors.reduce((sum, own) => sum + own, 0);
  const [first, second] = parts.map(({ of }) => of) as [T, T?];
  const bound = parts.flatMap(({ begin, end, suffix }, i) =>
    names.map((name) => [i === 0 ? name : `${name}2`, operandPart(name + suffix, begin, end)] as const),
  );
  return {
    kernel,
    constants: { ...constants, PAIR: parts.length > 1 },
    params: {
      count,
      split: vectors[0] as number,
      isFirst: Number(first.isFirst),
      isFirst2: Number(second?.isFirst ?? false),
      ...params(first, second),
    },
    operands: { ...unused, ...Object.fromEntries(bound) },
    grid: foldGrid(ceilDiv(count, WG)),
  };
}
