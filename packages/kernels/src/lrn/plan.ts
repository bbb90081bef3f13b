import { type Capabilities, ceilDiv, foldGrid, type Plan, type Step, type Window } from "../plan.js";
import { lrnBackward as BACKWARD, lrnForward as FORWARD, lrnRatio as RATIO } from "../wgsl.generated.js";
import { type Range, rowRuns, sliceOf } from "../windows.js";

const WG = 64;

/** Local response normalisation of `count` elements, channels last. */
export interface LrnGeometry {
  readonly count: number;
  readonly channels: number;
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;
}

function normParams({ channels, size, alpha, beta }: LrnGeometry) {
  const before = Math.floor(size / 2);
  const after = Math.floor((size - 1) / 2);
  return { channels, before, after, slope: alpha / size, beta };
}

/** A run of whole pixels of an operand, and the element in what is bound with which it begins. */
function pixelsOf(g: LrnGeometry, operand: string, run: Range): { operand: string | Window; first: number } {
  const begin = run.begin * g.channels;
  const slice = sliceOf(operand, { begin, end: run.end * g.channels }, g.count);
  return { operand: slice.operand, first: begin - slice.origin };
}

const runsOf = (g: LrnGeometry, caps: Capabilities): Range[] => rowRuns(g.count / g.channels, g.channels, caps);

/**
 * torch.nn.functional.local_response_norm (Caffe's LRN layer). Operands: x, y and d (the denominator before its power,
 * as large as x). Undefined when a pixel is larger than a binding.
 */
export function planLocalResponseNorm(g: LrnGeometry, caps: Capabilities): Plan | undefined {
  const steps = runsOf(g, caps).map((run): Step => {
    const count = (run.end - run.begin) * g.channels;
    const [x, y, d] = ["x", "y", "d"].map((name) => pixelsOf(g, name, run)) as [Part, Part, Part];
    const params = { ...normParams(g), count, first: x.first, k: g.k };
    const operands = { x: x.operand, y: y.operand, d: d.operand };
    return { kernel: FORWARD, params, operands, grid: foldGrid(ceilDiv(count, WG)) };
  });
  return steps.length > 0 ? { steps } : undefined;
}

type Part = ReturnType<typeof pixelsOf>;

/** The gradient of {@link planLocalResponseNorm}. Operands: x, dy, d, dx. Undefined when a pixel exceeds a binding. */
export function planLocalResponseNormBackward(g: LrnGeometry, caps: Capabilities): Plan | undefined {
  const runs = runsOf(g, caps);
  const steps = runs.flatMap((run): Step[] => {
    const count = (run.end - run.begin) * g.channels;
    const grid = foldGrid(ceilDiv(count, WG));
    const [x, dy, d, dx] = ["x", "dy", "d", "dx"].map((name) => pixelsOf(g, name, run)) as [Part, Part, Part, Part];
    const given = { x: x.operand, dy: dy.operand, d: d.operand, r: "r" };
    return [
      { kernel: RATIO, params: { count, first: x.first, beta: g.beta }, operands: given, grid },
      {
        kernel: BACKWARD,
        params: { ...normParams(g), count, first: x.first },
        operands: { ...given, dx: dx.operand },
        grid,
      },
    ];
  });
  const largest = Math.max(0, ...runs.map(({ begin, end }) => end - begin));
  return steps.length > 0 ? { steps, scratch: { r: largest * g.channels * 4 } } : undefined;
}
