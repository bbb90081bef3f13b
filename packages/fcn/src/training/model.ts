import type { nn, Tensor } from "@fcn/tensor";

/** A net whose `forward` answers logits [N, classes, H, W], or a record of heads with the main one under `out`. */
export type SegmentationNet = nn.Module;

/** The main head's logits. */
export function mainLogits(output: Tensor | Readonly<Record<string, Tensor>>): Tensor {
  return "shape" in output ? (output as Tensor) : ((output as Record<string, Tensor>).out as Tensor);
}
