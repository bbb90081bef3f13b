import { add, crossEntropy, type Device, noGrad, type Tensor } from "@fcn/tensor";
import type { create } from "../models/index.js";

/** The work on which a net is measured. */
export interface WorkOptions {
  /** Number of images in a batch. */
  readonly batchSize: number;
  readonly size: readonly [height: number, width: number];
  readonly channels: number;
  /** True for forward and backward passes with the gradients of all parameters, false for the forward pass only. */
  readonly training: boolean;
  /** How features lie in memory. Default float32. */
  readonly precision?: "float32" | "float16" | undefined;
}

/** One pass of a net over a batch of zeros, which take as long as images. The open scope disposes of the tensors. */
export function makeWork(
  device: Device,
  net: ReturnType<typeof create>,
  { batchSize, size: [height, width], channels, training, precision = "float32" }: WorkOptions,
): () => void {
  return () => {
    const input = device.zeros([batchSize, channels, height, width], { dtype: precision });
    if (!training) {
      net.eval();
      noGrad(() => net.forward(input));
      return;
    }
    net.train();
    const target = device.zeros([batchSize, height, width], { dtype: "int32" });
    const output = net.forward(input) as Tensor | Record<string, Tensor>;
    const heads = "shape" in output ? [output as Tensor] : Object.values(output);
    heads
      .map((logits) => crossEntropy(logits, target))
      .reduce((a, b) => add(a, b))
      .backward();
    net.zeroGrad();
  };
}
