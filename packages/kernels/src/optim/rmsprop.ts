import { flatRanges } from "../bindingParts.js";
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
import { optimRmsprop as RMSPROP } from "../wgsl.generated.js";
import { type ScaledStepped, scaledParams, UNSCALED, type Updated } from "./scaled.js";

const WG = 64;

/** The settings of one RMSprop step, those of torch.optim.RMSprop. */
export interface RMSpropStep {
  readonly lr: number;
  readonly alpha: number;
  readonly eps: number;
  readonly weightDecay: number;
  readonly momentum: number;
  readonly centered: boolean;
}

/**
 * One step of torch.optim.RMSprop. Operands: g (gradient), w (parameter), v (mean square), with momentum m, and where
 * centered a (mean), all in one storage order.
 */
export const planRMSprop = (parameter: Updated, s: RMSpropStep, caps: Capabilities): Plan =>
  update(parameter, s, caps, { SCALED: false }, UNSCALED, {});

/**
 * {@link planRMSprop} for a parameter that follows a GradScaler. Operands beside those: record (four floats) where the
 * step is guarded, and taken (twice four floats).
 */
export function planScaledRMSprop(parameter: ScaledStepped, s: RMSpropStep, caps: Capabilities): Plan {
  const operands = { ...(parameter.isGuarded ? { record: "record" } : {}), steps: "taken" };
  return update(parameter, s, caps, { SCALED: true }, scaledParams(parameter), operands);
}

/** One dispatch for as many elements as fit a binding. */
function update(
  { count, isFirst }: Updated,
  s: RMSpropStep,
  caps: Capabilities,
  constants: { readonly SCALED: boolean },
  scaled: Readonly<Record<string, number>>,
  operands: Readonly<Record<string, Binding>>,
): Plan {
  const hasMomentum = s.momentum !== 0;
  const names = ["g", "w", "v", ...(hasMomentum ? ["m"] : []), ...(s.centered ? ["a"] : [])];
  const steps = flatRanges(count, caps).map(({ begin, end }): Step => {
    const vectors = ceilDiv(end - begin, 4);
    const { lr, alpha, eps, weightDecay, momentum } = s;
    return {
      kernel: RMSPROP,
      constants: { ...constants, MOMENTUM: hasMomentum, CENTERED: s.centered },
      params: {
        ...{ count: vectors, isFirst: Number(isFirst), lr, alpha, keep: 1 - alpha, eps, weightDecay, momentum },
        ...scaled,
      },
      operands: {
        ...{ m: unwritten("m"), a: unwritten("a"), record: UNREAD, steps: unwritten("steps") },
        ...operands,
        ...Object.fromEntries(names.map((name) => [name, operandPart(name, begin, end)])),
      },
      grid: foldGrid(ceilDiv(vectors, WG)),
    };
  });
  return { steps };
}
