import type { ConstantValue, Kernel } from "../kernel.js";
import {
  BINDING_ALIGNMENT,
  type Capabilities,
  ceilDiv,
  type Dummy,
  foldGrid,
  operandPart,
  type Plan,
  type Step,
  unwritten,
} from "../plan.js";
import { optimAdamw as ADAMW, optimSgd as SGD } from "../wgsl.generated.js";

const WG = 64;

/** The settings of one SGD step on one parameter, those of torch.optim.SGD. */
export interface SgdStep {
  readonly lr: number;
  readonly momentum: number;
  readonly dampening: number;
  readonly weightDecay: number;
  readonly nesterov: boolean;
  /** Whether the momentum buffer holds nothing yet. */
  readonly first: boolean;
}

/** The settings of one AdamW step on one parameter, those of torch.optim.AdamW. */
export interface AdamWStep {
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weightDecay: number;
  /** The number of the step, from 1, when the moments hold nothing yet. */
  readonly step: number;
}

/**
 * One step of torch.optim.SGD on `count` elements. Operands: g (gradient), w (parameter) and, with momentum, m; all in
 * one storage order.
 */
export function planSgd(count: number, s: SgdStep, caps: Capabilities): Plan {
  const momentum = s.momentum !== 0;
  return elementwise(SGD, count, caps, ["g", "w", "m"], {
    unused: momentum ? {} : { m: unwritten("m") },
    constants: { MOMENTUM: momentum, NESTEROV: s.nesterov, FIRST: s.first },
    params: { lr: s.lr, momentum: s.momentum, keep: 1 - s.dampening, weightDecay: s.weightDecay },
  });
}

/**
 * One step of torch.optim.AdamW on `count` elements. Operands: g (gradient), w (parameter), m and v (moments); all in
 * one storage order.
 */
export function planAdamW(count: number, s: AdamWStep, caps: Capabilities): Plan {
  return elementwise(ADAMW, count, caps, ["g", "w", "m", "v"], {
    unused: {},
    constants: { FIRST: s.step === 1 },
    params: {
      decay: 1 - s.lr * s.weightDecay,
      keep1: 1 - s.beta1,
      beta2: s.beta2,
      keep2: 1 - s.beta2,
      stepSize: s.lr / (1 - s.beta1 ** s.step),
      correction: 1 / Math.sqrt(1 - s.beta2 ** s.step),
      eps: s.eps,
    },
  });
}

interface Settings {
  readonly unused: Readonly<Record<string, Dummy>>;
  readonly constants: Readonly<Record<string, ConstantValue>>;
  readonly params: Readonly<Record<string, number>>;
}

/** One dispatch for as many elements as fit a binding. */
function elementwise(
  kernel: Kernel,
  count: number,
  caps: Capabilities,
  names: readonly string[],
  { unused, constants, params }: Settings,
): Plan {
  const span = (Math.floor(caps.bindingLimit / BINDING_ALIGNMENT) * BINDING_ALIGNMENT) / 4;
  const steps: Step[] = [];
  for (let begin = 0; begin < count; begin += span) {
    const end = Math.min(count, begin + span);
    const vectors = ceilDiv(end - begin, 4);
    const operands = names.map((name) => [name, unused[name] ?? operandPart(name, begin, end)]);
    steps.push({
      kernel,
      constants,
      params: { count: vectors, ...params },
      operands: Object.fromEntries(operands),
      grid: foldGrid(ceilDiv(vectors, WG)),
    });
  }
  return { steps };
}
