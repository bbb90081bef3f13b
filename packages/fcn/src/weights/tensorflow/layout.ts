import { io } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";

export type HostArrays = Readonly<Record<string, io.HostArray>>;

/** Looks up weights by name; a missing one throws a TensorError of `op`. */
export function lookup(op: string, weights: HostArrays): (name: string) => io.HostArray {
  return (name) => {
    if (Object.hasOwn(weights, name)) return weights[name] as io.HostArray;
    throw invalidArgument(
      `${op}: the weights hold no ${name}, only ${Object.keys(weights).slice(0, 3).join(", ")} and the like`,
      {
        code: "pass the weights of the model that this function is for, all of them",
        command: "choose the name map of the net that the file is of (--names), or give the whole model",
      },
    );
  };
}

/** Rearranges a convolution kernel from [H, W, in, out] to [out, in, H, W]. */
export function convKernel(kernel: io.HostArray): io.HostArray {
  return io.permuteHostArray(kernel, [3, 2, 0, 1]);
}

/**
 * Rearranges a depthwise kernel from [H, W, channels, multiplier] to [channels * multiplier, 1, H, W], for a
 * convolution with `groups` = channels.
 */
export function depthwiseKernel(kernel: io.HostArray): io.HostArray {
  const { data, dtype, shape } = io.permuteHostArray(kernel, [2, 3, 0, 1]);
  const [channels = 0, multiplier = 0, height = 0, width = 0] = shape;
  return { dtype, shape: [channels * multiplier, 1, height, width], data };
}

export function constant(length: number, value: number): io.HostArray {
  return { dtype: "float32", shape: [length], data: new Float32Array(length).fill(value) };
}
