import { FAULT } from "../fault.js";
import { type Capabilities, ceilDiv, FAULT_RECORD, foldGrid, NAN_BITS, type Plan, type Step, UNREAD } from "../plan.js";
import {
  crossEntropyBackward as BACKWARD,
  crossEntropyFinish as FINISH,
  crossEntropyForward as FORWARD,
} from "../wgsl.generated.js";
import { type Range, rowRuns, sliceOf } from "../windows.js";

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

/** The operands of a run of pixels, and the elements of its first logit and its first pixel in them. */
function runOf(c: CrossEntropyCase, run: Range) {
  const logits = { begin: run.begin * c.classes, end: run.end * c.classes };
  const perLogit = (name: string) => sliceOf(name, logits, c.pixels * c.classes);
  const perPixel = (name: string) => sliceOf(name, run, c.pixels);
  return {
    perLogit: (name: string) => perLogit(name).operand,
    perPixel: (name: string) => perPixel(name).operand,
    firstLogit: logits.begin - perLogit("").origin,
    firstPixel: run.begin - perPixel("").origin,
  };
}

/**
 * torch.nn.functional.cross_entropy of logits [pixels, classes]. Operands: logits, target (int32 [pixels]), lse
 * [pixels], y ([pixels] for reduction "none", else [1]), with `weighted` weight [classes], and unless the reduction is
 * "none" divisor [1]. Undefined when four pixels are larger than a binding.
 */
export function planCrossEntropy(c: CrossEntropyCase, caps: Capabilities): Plan | undefined {
  const each = c.reduction === "none";
  const runs = rowRuns(c.pixels, c.classes, caps, PIXELS);
  // Two partial sums for each thread must fit a binding.
  const most = Math.min(caps.parallelism * WG, Math.floor(caps.bindingLimit / 8 / runs.length));
  const threadsOf = ({ begin, end }: Range): number => (each ? end - begin : Math.min(end - begin, most));
  const total = runs.reduce((sum, run) => sum + threadsOf(run), 0);
  let base = 0;
  const forward = runs.map((run): Step => {
    const { perLogit, perPixel, firstLogit, firstPixel } = runOf(c, run);
    const threads = threadsOf(run);
    const step: Step = {
      kernel: FORWARD,
      constants: { EACH: each, WEIGHTED: c.weighted, FAULT_LABEL: FAULT.label },
      params: {
        threads,
        pixels: run.end - run.begin,
        classes: c.classes,
        ignoreIndex: c.ignoreIndex,
        nanBits: NAN_BITS,
        firstLogit,
        firstPixel,
        begin: run.begin,
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
  const steps = rowRuns(c.pixels, c.classes, caps, PIXELS).map((run): Step => {
    const { perLogit, perPixel, firstLogit, firstPixel } = runOf(c, run);
    const pixels = run.end - run.begin;
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
