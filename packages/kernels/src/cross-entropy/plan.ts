import { boundPart, type Range, rowRanges } from "../bindingParts.js";
import { FAULT } from "../fault.js";
import { type Capabilities, ceilDiv, FAULT_RECORD, foldGrid, NAN_BITS, type Plan, type Step, UNREAD } from "../plan.js";
import {
  crossEntropyBackward as BACKWARD,
  crossEntropyFinish as FINISH,
  crossEntropyForward as FORWARD,
} from "../wgsl.generated.js";

const WG = 64;

export interface CrossEntropyCase {
  readonly pixels: number;
  readonly classes: number;
  readonly ignoreIndex: number;
  readonly weighted: boolean;
  readonly reduction: "mean" | "sum" | "none";
}

/** Any four pixels are whole vectors of four in every operand. */
const PIXELS = 4;

/** The parts of the operands for a range of pixels, and the elements of its first logit and first pixel in them. */
function partsOf(c: CrossEntropyCase, range: Range) {
  const logits = { begin: range.begin * c.classes, end: range.end * c.classes };
  const perLogit = (name: string) => boundPart(name, logits, c.pixels * c.classes);
  const perPixel = (name: string) => boundPart(name, range, c.pixels);
  return {
    perLogit: (name: string) => perLogit(name).operand,
    perPixel: (name: string) => perPixel(name).operand,
    firstLogit: logits.begin - perLogit("").origin,
    firstPixel: range.begin - perPixel("").origin,
  };
}

/**
 * torch.nn.functional.cross_entropy of logits [pixels, classes]. Operands: logits, target (int32 [pixels]), lse
 * [pixels], y ([pixels] for reduction "none", else [1]), with `weighted` weight [classes], and unless the reduction is
 * "none" divisor [1]. Undefined when four pixels are larger than a binding.
 */
export function planCrossEntropy(c: CrossEntropyCase, caps: Capabilities): Plan | undefined {
  const each = c.reduction === "none";
  const ranges = rowRanges(c.pixels, c.classes, caps, PIXELS);
  // Two partial sums for each thread must fit a binding.
  const most = Math.min(caps.parallelism * WG, Math.floor(caps.bindingLimit / 8 / ranges.length));
  const threadsOf = ({ begin, end }: Range): number => (each ? end - begin : Math.min(end - begin, most));
  const total = ranges.reduce((sum, range) => sum + threadsOf(range), 0);
  let base = 0;
  const forward = ranges.map((range): Step => {
    const { perLogit, perPixel, firstLogit, firstPixel } = partsOf(c, range);
    const threads = threadsOf(range);
    const step: Step = {
      kernel: FORWARD,
      constants: { EACH: each, WEIGHTED: c.weighted, FAULT_LABEL: FAULT.label },
      params: {
        threads,
        pixels: range.end - range.begin,
        classes: c.classes,
        ignoreIndex: c.ignoreIndex,
        nanBits: NAN_BITS,
        firstLogit,
        firstPixel,
        begin: range.begin,
        base,
        total,
      },
      operands: {
        x: perLogit("logits"),
        labels: perPixel("target"),
        weight: c.weighted ? "weight" : UNREAD,
        lse: perPixel("lse"),
        y: each ? perPixel("y") : "partial",
        fault: FAULT_RECORD,
      },
      grid: foldGrid(ceilDiv(threads, WG)),
    };
    base += threads;
    return step;
  });
  if (forward.length === 0) return undefined;
  if (each) return { steps: forward };
  const finish: Step = {
    kernel: FINISH,
    constants: { MEAN: c.reduction === "mean" },
    params: { threads: total, nanBits: NAN_BITS },
    operands: { partial: "partial", y: "y", divisor: "divisor" },
    grid: [1, 1, 1],
  };
  return { steps: [...forward, finish], scratch: { partial: Math.max(1, total) * 8 } };
}

/**
 * The gradient of {@link planCrossEntropy}. Operands: logits, target, lse, dy, dx, with `weighted` weight, and for
 * reduction "mean" divisor. Undefined when four pixels are larger than a binding.
 */
export function planCrossEntropyBackward(c: CrossEntropyCase, caps: Capabilities): Plan | undefined {
  const mean = c.reduction === "mean";
  const each = c.reduction === "none";
  const steps = rowRanges(c.pixels, c.classes, caps, PIXELS).map((range): Step => {
    const { perLogit, perPixel, firstLogit, firstPixel } = partsOf(c, range);
    const pixels = range.end - range.begin;
    const threads = ceilDiv(pixels, PIXELS);
    return {
      kernel: BACKWARD,
      constants: { EACH: each, MEAN: mean, WEIGHTED: c.weighted },
      params: {
        threads,
        pixels,
        classes: c.classes,
        ignoreIndex: c.ignoreIndex,
        nanBits: NAN_BITS,
        firstLogit: firstLogit / 4,
        firstPixel: firstPixel / 4,
      },
      operands: {
        x: perLogit("logits"),
        labels: perPixel("target"),
        lse: perPixel("lse"),
        weight: c.weighted ? "weight" : UNREAD,
        dy: each ? perPixel("dy") : "dy",
        divisor: mean ? "divisor" : UNREAD,
        dx: perLogit("dx"),
      },
      grid: foldGrid(ceilDiv(threads, WG)),
    };
  });
  return steps.length > 0 ? { steps } : undefined;
}
