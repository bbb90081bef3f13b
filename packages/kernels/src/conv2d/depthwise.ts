import { boundPart } from "../bindingParts.js";
import { type Capabilities, ceilDiv, foldGrid, type Plan, type Step, unwritten } from "../plan.js";
import { sumSlices } from "../reduce/sum-slices.js";
import { scalarOrVector } from "../scalarOrVector.js";
import { conv2dDepthwise as GATHER, conv2dDepthwiseWeightGradient as WEIGHT_GRADIENT } from "../wgsl.generated.js";
import { type Conv2dEpilogue, epilogueOf } from "./epilogue.js";
import { type Conv2dGeometry, type Direction, gcd, geometryParams, phaseParams } from "./geometry.js";
import { lineSplits } from "./line-splits.js";
import { gatherParts, sidesOf, weightGradientParts } from "./sides.js";
import { depthwiseTile } from "./tiles.js";

const WG = 64;

const lanesOf = (g: Conv2dGeometry): number => (g.inC % 4 === 0 ? 4 : 1);

/** The most taps whose input is held at the same time. */
const LARGEST_BLOCK = 4;

/** How a thread with R outputs holds the input of a row's taps: see depthwise.wgsl. */
function stripOf({ kernelW, strideW, dilationW }: Conv2dGeometry, isTransposed: boolean, R: number) {
  const common = gcd(strideW, dilationW);
  const step = isTransposed ? strideW / common : 1;
  const [advance, pace] = isTransposed ? [1, dilationW / common] : [strideW, dilationW];
  const taps = ceilDiv(kernelW, step);
  const block = Math.min(taps, LARGEST_BLOCK);
  const spacing = gcd(advance, pace);
  const span = ((R - 1) * advance + (block - 1) * pace) / spacing + 1;
  if (span >= R * block) return { BLOCK: 1, WHOLE: true, ADVANCE: advance, PACE: pace, SPACING: advance };
  const isWhole = kernelW % step === 0 && taps % block === 0;
  return { BLOCK: block, WHOLE: isWhole, ADVANCE: advance, PACE: pace, SPACING: spacing };
}

/** Steps of a depthwise convolution in either direction; none when one row is larger than a binding. */
export function depthwiseSteps(
  g: Conv2dGeometry,
  direction: Direction,
  epilogue: Conv2dEpilogue,
  caps: Capabilities,
): Plan {
  const s = sidesOf(g, direction);
  const tunable = depthwiseTile(g, direction, caps);
  const R = tunable.tile.TM;
  const lanes = lanesOf(g);
  const phases = s.transposed ? g.strideW : 1;
  const lineTiles = ceilDiv(s.gridW, R);
  const yRow = s.to.w * g.inC;
  const elements = g.n * s.to.h * yRow;
  const steps = gatherParts(g, s, caps).map((part): Step => {
    const x = boundPart("x", part.from, g.n * s.from.h * s.from.w * g.inC);
    const y = boundPart("y", part.to, elements);
    const { constants, operands } = epilogueOf(epilogue, { isFirst: true, isLast: true }, part.to, elements);
    const lines = (part.to.end - part.to.begin) / yRow;
    const channels = g.inC / lanes;
    const count = lines * lineTiles * phases * channels;
    const vector = lanes === 4;
    return {
      kernel: GATHER,
      constants: { R, VEC: vector, ...constants, TRANSPOSED: s.transposed, ...stripOf(g, s.transposed, R) },
      params: {
        ...geometryParams(g),
        ...phaseParams(g),
        kernelH: g.kernelH,
        count,
        lineBegin: part.to.begin / yRow,
        lineTiles,
        phases,
        channels,
        inH: s.from.h,
        inW: s.from.w,
        outH: s.to.h,
        outW: s.to.w,
        xOrigin: x.origin / lanes,
        yOrigin: y.origin / lanes,
      },
      operands: {
        ...scalarOrVector(vector, "x", x.operand),
        ...scalarOrVector(vector, "w", "w"),
        ...operands,
        ...scalarOrVector(vector, "y", y.operand, unwritten("y")),
      },
      grid: foldGrid(ceilDiv(count, WG)),
    };
  });
  return { steps, tunable };
}

/** Steps of its weight gradient [taps, C]; undefined when one row is larger than a binding. Scratch: `slices`. */
export function depthwiseGradientSteps(g: Conv2dGeometry, caps: Capabilities): Plan | undefined {
  const parts = weightGradientParts(g, caps);
  if (parts.length === 0) return undefined;
  const lanes = lanesOf(g);
  const channels = g.inC / lanes;
  const taps = g.kernelH * g.kernelW;
  const elements = taps * g.inC;
  const wanted = ceilDiv(caps.parallelism * WG, taps * channels);
  const { perPart, accumulate, slices, target } = lineSplits(parts, elements, wanted, caps);
  const vector = lanes === 4;
  const steps = parts.map((part, i): Step => {
    const x = boundPart("x", part.from, g.n * g.inH * g.inW * g.inC);
    const dy = boundPart("dy", part.to, g.n * g.outH * g.outW * g.outC);
    const count = taps * channels * perPart;
    return {
      kernel: WEIGHT_GRADIENT,
      constants: { VEC: vector, ACCUMULATE: accumulate && i > 0 },
      params: {
        ...geometryParams(g),
        count,
        base: slices > 1 ? i * count : 0,
        channels,
        taps,
        lineBegin: part.steps.begin,
        lineEnd: part.steps.end,
        linesPerSplit: ceilDiv(part.steps.end - part.steps.begin, perPart),
        inH: g.inH,
        inW: g.inW,
        outH: g.outH,
        outW: g.outW,
        xOrigin: x.origin / lanes,
        dyOrigin: dy.origin / lanes,
      },
      operands: {
        ...scalarOrVector(vector, "x", x.operand),
        ...scalarOrVector(vector, "dy", dy.operand),
        ...scalarOrVector(vector, "dw", target, unwritten("dw")),
      },
      grid: foldGrid(ceilDiv(count, WG)),
    };
  });
  if (slices === 1) return { steps };
  return {
    steps: [...steps, sumSlices(elements, slices, "slices", "dw")],
    scratch: { slices: slices * elements * 4 },
  };
}
