import { fits } from "../bindingParts.js";
import type { CrossEntropyCase } from "../cross-entropy/plan.js";
import { FAULT } from "../fault.js";
import { type Capabilities, ceilDiv, FAULT_RECORD, foldGrid, NAN_BITS, type Plan, type Step, UNREAD } from "../plan.js";
import {
  crossEntropyFinish as FINISH,
  upsampledGradient as GRADIENT,
  upsampledJoin as JOIN,
  upsampledLabels as LABELS,
  upsampledLoss as LOSS,
} from "../wgsl.generated.js";

const WG = 64;
/** Neighbouring pixels of a thread. */
const PIXELS = 4;
/** Classes of a thread. */
const QUAD = 4;

/**
 * Bilinear upsampling of channels-last scores, and what is cut out of it. Along each axis, output o lies at
 * (o + before) * scale - after among the cells, `clamped` to the first and the last one; otherwise scores fade to 0
 * beyond them.
 */
export interface UpsampledGeometry {
  readonly n: number;
  readonly channels: number;
  readonly inH: number;
  readonly inW: number;
  readonly outH: number;
  readonly outW: number;
  /** Cells for each output step, at most 1. */
  readonly scaleH: number;
  readonly scaleW: number;
  readonly beforeH: number;
  readonly beforeW: number;
  readonly after: number;
  readonly clamped: boolean;
}

export type UpsampledLoss = Pick<CrossEntropyCase, "ignoreIndex" | "weighted" | "reduction">;

const placesOf = (g: UpsampledGeometry) => {
  const { channels, inH, inW, outH, outW, scaleH, scaleW, beforeH, beforeW, after } = g;
  return { channels, inH, inW, outH, outW, scaleH, scaleW, beforeH, beforeW, after };
};

const pixelsOf = ({ n, outH, outW }: UpsampledGeometry): number => n * outH * outW;
const scoresOf = ({ n, channels, inH, inW }: UpsampledGeometry): number => n * channels * inH * inW;

/** Columns of cells that neighbouring pixels read, wherever they begin. */
const columnsOf = ({ scaleW }: UpsampledGeometry): number => Math.ceil((PIXELS - 1) * scaleW) + 2;

const fitsBinding = (g: UpsampledGeometry, caps: Capabilities): boolean =>
  fits(Math.max(pixelsOf(g), scoresOf(g)), caps);

/** The rows of all images in runs of neighbouring pixels. */
function runsOf(g: UpsampledGeometry) {
  const runsPerRow = ceilDiv(g.outW, PIXELS);
  return { runs: g.n * g.outH * runsPerRow, runsPerRow };
}

/**
 * The largest class of each pixel. Operands: scores [n, inH, inW, channels], labels (int32 [n, outH, outW]). Undefined
 * when one of them is larger than a binding.
 */
export function planUpsampledLabels(g: UpsampledGeometry, caps: Capabilities): Plan | undefined {
  if (!fitsBinding(g, caps)) return undefined;
  const { runs: count, runsPerRow } = runsOf(g);
  const step: Step = {
    kernel: LABELS,
    constants: { COLUMNS: columnsOf(g), CLAMPED: g.clamped },
    params: { count, runsPerRow, ...placesOf(g) },
    operands: { scores: "scores", labels: "labels" },
    grid: foldGrid(ceilDiv(count, WG)),
  };
  return { steps: [step] };
}

/**
 * torch.nn.functional.cross_entropy of the upsampled scores. Operands: scores, target (int32 [n, outH, outW]), lse (as
 * many float32), y (as many for reduction "none", else [1]), with `weighted` weight [channels], and unless the
 * reduction is "none" divisor [1]. Undefined when one of them is larger than a binding.
 */
export function planUpsampledLoss(g: UpsampledGeometry, loss: UpsampledLoss, caps: Capabilities): Plan | undefined {
  if (!fitsBinding(g, caps)) return undefined;
  const each = loss.reduction === "none";
  const runs = runsOf(g);
  const threads = each ? runs.runs : Math.min(runs.runs, caps.parallelism * WG);
  const forward: Step = {
    kernel: LOSS,
    constants: {
      COLUMNS: columnsOf(g),
      CLAMPED: g.clamped,
      EACH: each,
      WEIGHTED: loss.weighted,
      FAULT_LABEL: FAULT.label,
    },
    params: { threads, ...runs, ...placesOf(g), ignoreIndex: loss.ignoreIndex, nanBits: NAN_BITS },
    operands: {
      scores: "scores",
      labels: "target",
      weight: loss.weighted ? "weight" : UNREAD,
      lse: "lse",
      y: each ? "y" : "partial",
      fault: FAULT_RECORD,
    },
    grid: foldGrid(ceilDiv(threads, WG)),
  };
  if (each) return { steps: [forward] };
  const finish: Step = {
    kernel: FINISH,
    constants: { MEAN: loss.reduction === "mean" },
    params: { threads, nanBits: NAN_BITS },
    operands: { partial: "partial", y: "y", divisor: "divisor" },
    grid: [1, 1, 1],
  };
  return { steps: [forward, finish], scratch: { partial: threads * 8 } };
}

/** Rows of a patch that are worth a slice of their own. */
const SLICE_ROWS = 4;

/**
 * The gradient of {@link planUpsampledLoss}. Operands: scores, target, lse, dy, dx, with `weighted` weight, and for
 * reduction "mean" divisor. Undefined when one of them, or what the patches give, is larger than a binding.
 */
export function planUpsampledGradient(g: UpsampledGeometry, loss: UpsampledLoss, caps: Capabilities): Plan | undefined {
  const quads = ceilDiv(g.channels, QUAD);
  const perImage = (g.inH + 1) * (g.inW + 1) * quads;
  // Of an image, whatever their number, so that its gradient has the same bits in every batch.
  const wanted = ceilDiv(caps.parallelism * WG, perImage);
  const rows = g.scaleH > 0 ? Math.ceil(1 / g.scaleH) : g.outH;
  const slices = Math.min(wanted, Math.max(1, Math.floor(rows / SLICE_ROWS)));
  const count = slices * g.n * perImage;
  const partElements = count * 4 * QUAD;
  if (!fitsBinding(g, caps) || !fits(partElements, caps)) return undefined;
  const mean = loss.reduction === "mean";
  const gradient: Step = {
    kernel: GRADIENT,
    constants: { CLAMPED: g.clamped, EACH: loss.reduction === "none", MEAN: mean, WEIGHTED: loss.weighted },
    params: {
      ...{ count, slices, images: g.n, quads },
      ...placesOf(g),
      ignoreIndex: loss.ignoreIndex,
      nanBits: NAN_BITS,
    },
    operands: {
      scores: "scores",
      labels: "target",
      lse: "lse",
      weight: loss.weighted ? "weight" : UNREAD,
      dy: "dy",
      divisor: mean ? "divisor" : UNREAD,
      part: "part",
    },
    grid: foldGrid(ceilDiv(count, WG)),
  };
  const { n: images, channels, inH, inW } = g;
  const join: Step = {
    kernel: JOIN,
    params: { count: scoresOf(g), slices, images, quads, channels, inH, inW },
    operands: { part: "part", dx: "dx" },
    grid: foldGrid(ceilDiv(scoresOf(g), WG)),
  };
  return { steps: [gradient, join], scratch: { part: partElements * 4 } };
}
