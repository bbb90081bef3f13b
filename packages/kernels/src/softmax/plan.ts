import { boundPart, rowRanges } from "../bindingParts.js";
import type { Kernel } from "../kernel.js";
import { type Capabilities, ceilDiv, foldGrid, type Plan, type Step } from "../plan.js";
import { softmaxBackward as BACKWARD, softmaxForward as FORWARD } from "../wgsl.generated.js";

const WG = 64;

/** A tensor seen along one dimension of its memory: [outer, size, inner]. */
export interface Lines {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

function plan(
  kernel: Kernel,
  { outer, size, inner }: Lines,
  log: boolean,
  names: readonly string[],
  caps: Capabilities,
): Plan | undefined {
  const part = size * inner;
  const ranges = part === 0 ? [{ begin: 0, end: 0 }] : rowRanges(outer, part, caps);
  const steps = ranges.map(({ begin, end }): Step => {
    const range = { begin: begin * part, end: end * part };
    const parts = names.map((name) => [name, boundPart(name, range, outer * part)] as const);
    const count = (end - begin) * inner;
    const first = range.begin - (parts[0]?.[1].origin ?? 0);
    return {
      kernel,
      constants: { LOG: log },
      params: { count, size, inner, first },
      operands: Object.fromEntries(parts.map(([name, { operand }]) => [name, operand])),
      grid: foldGrid(ceilDiv(count, WG)),
    };
  });
  return steps.length > 0 ? { steps } : undefined;
}

/**
 * torch.softmax along `size`, or with `log` torch.log_softmax. Operands: x, y, in one memory order. Undefined when
 * `size` x `inner` elements are larger than a binding.
 */
export const planSoftmax = (lines: Lines, log: boolean, caps: Capabilities): Plan | undefined =>
  plan(FORWARD, lines, log, ["x", "y"], caps);

/**
 * The gradient of {@link planSoftmax} from its result y. Operands: y, dy, dx, in one memory order. Undefined when
 * `size` x `inner` elements are larger than a binding.
 */
export const planSoftmaxBackward = (lines: Lines, log: boolean, caps: Capabilities): Plan | undefined =>
  plan(BACKWARD, lines, log, ["y", "dy", "dx"], caps);
