import { FAULT } from "@fcn/kernels";
import { TensorError } from "../errors.js";

/** The error for a fault record. `ops` are the names of the ops whose outputs were checked, by number. */
export function faultError(words: Int32Array, ops: readonly string[]): TensorError | undefined {
  const [code = 0, a = 0, b = 0, c = 0] = words;
  if (code === 0) return undefined;
  if (code === FAULT.label) {
    return new TensorError({
      code: "label-out-of-range",
      message: `crossEntropy: target holds label ${a} at flat index ${b}, expected 0..${c - 1} or ignoreIndex`,
      fix: "check the label encoding of the masks, or pass the void label as ignoreIndex",
    });
  }
  return new TensorError({
    code: "not-finite",
    message: `${ops[a] ?? "an op"}: the result holds NaN or infinity (first seen at element ${b} in memory order)`,
    fix: "lower the learning rate, or check the inputs of this op; this check is on because the device was created with debug.nanCheck",
  });
}
