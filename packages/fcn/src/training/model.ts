import { type Device, nn, type Tensor, TensorError } from "@fcn/tensor";

/** A net whose `forward` answers logits [N, classes, H, W], or a record of heads with the main one under `out`. */
export type SegmentationNet = nn.Module;

/** The main head's logits. */
export function mainLogits(output: Tensor | Readonly<Record<string, Tensor>>): Tensor {
  return "shape" in output ? (output as Tensor) : ((output as Record<string, Tensor>).out as Tensor);
}

/** The device that the net's tensors live on. */
export function deviceOf(model: SegmentationNet): Device {
  const [first] = Object.values(model.stateDict());
  if (first) return first.device;
  throw new TensorError({
    code: "invalid-argument",
    message: "the net has neither parameters nor buffers, so its device is unknown",
    fix: "pass a net from models.create, or a module with at least one layer that learns",
  });
}

/** Makes every batch norm of the net normalise by its running statistics and leave them as they are, until `train` is called next. */
export function freezeBatchNorm(module: nn.Module): void {
  if (module instanceof nn.BatchNorm2d) module.eval();
  for (const [, child] of module.namedChildren()) freezeBatchNorm(child);
}
