import type { ConstantValue, Kernel } from "../kernel.js";
import {
  BINDING_ALIGNMENT,
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

const WG = 64;

/** The settings of one SGD step, those of torch.optim.SGD. */
export interface SgdStep {
  readonly lr: number;
  readonly momentum: number;
  readonly dampening: number;
  readonly weightDecay: number;
  readonly nesterov: boolean;
}

/** The settings of one AdamW step, those of torch.optim.AdamW. */
export interface AdamWStep {
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weightDecay: number;
}

/** A parameter in a step. */
export interface Stepped {
  /** Elements of the parameter. */
  readonly count: number;
  /** The number of its step, from 1. */
  readonly step: number;
  /** Whether its buffers hold nothing yet. */
  readonly isFirst: boolean;
}

/** One parameter, or two that are updated in one dispatch where each fits a binding. */
export type OneOrTwo = readonly [Stepped] | readonly [Stepped, Stepped];

/**
 * One step of torch.optim.SGD. Operands: g (gradient), w (parameter) and, with momentum, m, all in one storage order;
 * g2, w2 and m2 of a second parameter.
 */
export function planSgd(parameters: OneOrTwo, s: SgdStep, caps: Capabilities): Plan {
  const hasMomentum = s.momentum !== 0;
  return update(parameters, caps, {
    kernel: SGD,
    names: hasMomentum ? ["g", "w", "m"] : ["g", "w"],
    unused: { m: unwritten("m"), g2: UNREAD, w2: unwritten("w2"), m2: unwritten("m2") },
    constants: { MOMENTUM: hasMomentum, NESTEROV: s.nesterov },
    params: () => ({ lr: s.lr, momentum: s.momentum, keep: 1 - s.dampening, weightDecay: s.weightDecay }),
  });
}

/**
 * One step of torch.optim.AdamW. Operands: g (gradient), w (parameter), m and v (moments), all in one storage order;
 * g2, w2, m2 and v2 of a second parameter.
 */
export function planAdamW(parameters: OneOrTwo, s: AdamWStep, caps: Capabilities): Plan {
  const stepSize = ({ step }: Stepped) => s.lr / (1 - s.beta1 ** step);
  const correction = ({ step }: Stepped) => 1 / Math.sqrt(1 - s.beta2 ** step);
  return update(parameters, caps, {
    kernel: ADAMW,
    names: ["g", "w", "m", "v"],
    unused: { g2: UNREAD, w2: unwritten("w2"), m2: unwritten("m2"), v2: unwritten("v2") },
    constants: {},
    params: (a, b = a) => ({
      decay: 1 - s.lr * s.weightDecay,
      keep1: 1 - s.beta1,
      beta2: s.beta2,
      keep2: 1 - s.beta2,
      stepSize: stepSize(a),
      stepSize2: stepSize(b),
      correction: correction(a),
      correction2: correction(b),
      eps: s.eps,
    }),
  });
}

interface Update {
  readonly kernel: Kernel;
  /** What each parameter has of operands; those of the second are followed by 2. */
  readonly names: readonly string[];
  /** What is bound where there is no momentum, or no second parameter. */
  readonly unused: Readonly<Record<string, Binding>>;
  readonly constants: Readonly<Record<string, ConstantValue>>;
  readonly params: (first: Stepped, second?: Stepped) => Readonly<Record<string, number>>;
}

/** What a dispatch takes of a parameter: elements [begin, end), and 2 or nothing after the names of its operands. */
interface Part {
  readonly of: Stepped;
  readonly begin: number;
  readonly end: number;
  readonly suffix: string;
}

/** One dispatch for both parameters, or one for as many elements of each as fit a binding. */
function update(parameters: OneOrTwo, caps: Capabilities, u: Update): Plan {
  const span = (Math.floor(caps.bindingLimit / BINDING_ALIGNMENT) * BINDING_ALIGNMENT) / 4;
  const wholes = parameters.map((of, i): Part => ({ of, begin: 0, end: of.count, suffix: i === 0 ? "" : "2" }));
  if (wholes.every(({ end }) => end <= span)) return { steps: [stepOf(wholes, u)] };
  const steps: Step[] = [];
  for (const part of wholes) {
    for (let begin = 0; begin < part.end; begin += span) {
      steps.push(stepOf([{ ...part, begin, end: Math.min(part.end, begin + span) }], u));
    }
  }
  return { steps };
}

function stepOf(parts: readonly Part[], { kernel, names, unused, constants, params }: Update): Step {
  const vectors = parts.map(({ begin, end }) => ceilDiv(end - begin, 4));
  const count = vectors.reduce((sum, own) => sum + own, 0);
  const [first, second] = parts.map(({ of }) => of) as [Stepped, Stepped?];
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
