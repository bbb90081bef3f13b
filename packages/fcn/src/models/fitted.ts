import { crop, croppedRule, pad, type Tensor, TensorError } from "@fcn/tensor";
import type { Fit } from "./graph/geometry/fit.js";
import { GraphNet } from "./graph/net.js";
import type { HeadScores } from "./graph/tails.js";
import type { SegmentationNet } from "./segmentationNet.js";

/** Pads an input [N, C, H, W] with the zeros that the net needs. */
export function paddedBy({ padding }: Fit, x: Tensor): Tensor {
  if (padding.every(([before, after]) => before === 0 && after === 0)) return x;
  return pad(x, [[0, 0], [0, 0], ...padding]);
}

interface Scored {
  readonly model: SegmentationNet;
  /** [N, classes, h, w], the net's output for `input`. */
  readonly logits: Tensor;
  readonly input: Tensor;
  /** Height and width of the images without padding. */
  readonly size: readonly [height: number, width: number];
}

/**
 * Logits [N, classes, H, W] at the pixels of the images; `head` is the head's index in the fit. Throws if a module of
 * your own returned another size.
 */
function croppedBy(
  op: string,
  { offsets }: Fit,
  head: number,
  { model, logits, input, size: [height, width] }: Scored,
): Tensor {
  if (!(model instanceof GraphNet)) checkPlane(op, logits, input);
  const [top, left] = offsets[head] as readonly [number, number];
  const [, , h, w] = logits.shape;
  return h === height && w === width ? logits : crop(logits, { top, left, height, width });
}

/** {@link croppedBy} for scores that may still have to be upsampled: then the upsampling is to the cut. */
export function scoresCroppedBy(
  op: string,
  fit: Fit,
  head: number,
  { scores: { values, upsampling }, ...of }: Omit<Scored, "logits"> & { readonly scores: HeadScores },
): HeadScores {
  if (!upsampling) return { values: croppedBy(op, fit, head, { ...of, logits: values }) };
  const [top, left] = fit.offsets[head] as readonly [number, number];
  const [height, width] = of.size;
  return { values, upsampling: croppedRule(upsampling, { top, left, height, width }) };
}

function checkPlane(op: string, logits: Tensor, x: Tensor): void {
  const [n, , ...size] = x.shape;
  const [batch, , ...plane] = logits.shape;
  if (batch === n && plane.length === 2 && plane.every((side, i) => side === size[i])) return;
  const multiples = op === "train" ? "cut the images to these (crop)" : "pass it as stride";
  throw new TensorError({
    code: "invalid-shape",
    message: `${op}: the net returned [${logits.shape.join(", ")}] for images [${x.shape.join(", ")}], expected [N, classes, H, W] of their size`,
    fix: `use a net that brings its logits to the size of its input; where that holds for multiples of a number only, ${multiples}`,
  });
}
