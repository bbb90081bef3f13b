import { boundPart, type Range, rowRanges } from "../bindingParts.js";
import { type Capabilities, ceilDiv, foldGrid, type OperandPart, type Plan, type Step } from "../plan.js";
import { lrnBackward as BACKWARD, lrnForward as FORWARD, lrnRatio as RATIO } from "../wgsl.generated.js";

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

/** The bound part of an operand that holds some whole pixels, and the element of it with which they begin. */
function pixelsOf(g: LrnGeometry, operand: string, pixels: Range): { operand: string | OperandPart; first: number } {
  const begin = pixels.begin * g.channels;
  const part = boundPart(operand, { begin, end: pixels.end * g.channels }, g.count);
  return { operand: part.operand, first: begin - part.origin };
}

const rangesOf = (g: LrnGeometry, caps: Capabilities): Range[] => rowRanges(g.count / g.channels, g.channels, caps);

/**
 * torch.nn.functional.local_response_norm (Caffe's LRN layer). Operands: x, y and d (the denominator before its power,
 * as large as x). Undefined when a pixel is larger than a binding.
 */
export function planLocalResponseNorm(g: LrnGeometry, caps: Capabilities): Plan | undefined {
  const steps = rangesOf(g, caps).map((pixels): Step => {
    const count = (pixels.end - pixels.begin) * g.channels;
    const [x, y, d] = ["x", "y", "d"].map((name) => pixelsOf(g, name, pixels)) as [Part, Part, Part];
    const params = { ...normParams(g), count, first: x.first, k: g.k };
    const operands = { x: x.operand, y: y.operand, d: d.operand };
    return { kernel: FORWARD, params, operands, grid: foldGrid(ceilDiv(count, WG)) };
  });
  return steps.length > 0 ? { steps } : undefined;
}

type Part = ReturnType<typeof pixelsOf>;

/** The gradient of {@link planLocalResponseNorm}. Operands: x, dy, d, dx. Undefined when a pixel exceeds a binding. */
export function planLocalResponseNormBackward(g: LrnGeometry, caps: Capabilities): Plan | undefined {
  const ranges = rangesOf(g, caps);
  const steps = ranges.flatMap((pixels): Step[] => {
    const count = (pixels.end - pixels.begin) * g.channels;
    const grid = foldGrid(ceilDiv(count, WG));
    const [x, dy, d, dx] = ["x", "dy", "d", "dx"].map((name) => pixelsOf(g, name, pixels)) as [Part, Part, Part, Part];
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
  const largest = Math.max(0, ...ranges.map(({ begin, end }) => end - begin));
  return steps.length > 0 ? { steps, scratch: { r: largest * g.channels * 4 } } : undefined;
}
