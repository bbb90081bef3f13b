import { add, crossEntropy, type Device, noGrad, type Tensor } from "@fcn/tensor";
import { reworded } from "@fcn/tensor/internal";
import type { create } from "../models/index.js";
import { isOneValue, normsAverages } from "../models/oneValue.js";

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
    const output = forward(net, input);
    const heads = "shape" in output ? [output as Tensor] : Object.values(output);
    heads
      .map((logits) => crossEntropy(logits, target))
      .reduce((a, b) => add(a, b))
      .backward();
    net.zeroGrad();
  };
}

/** Batch norm knows nothing of the options of commands, so this adds them to its error. */
function forward(net: ReturnType<typeof create>, input: Tensor): Tensor | Record<string, Tensor> {
  try {
    return net.forward(input) as Tensor | Record<string, Tensor>;
  } catch (error) {
    if (!isOneValue(error)) throw error;
    const command = normsAverages(net, input) ? "use a larger --batch" : "use a larger --batch or --size";
    throw reworded(error, { fix: { code: error.fix, command } });
  }
}
