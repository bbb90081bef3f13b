import { record } from "../core/autograd.js";
import { checkLive, type Tensor } from "../core/tensor.js";
import { checkValue } from "../plain/options.js";
import { oneOf } from "../plain/rules.js";
import type { DType } from "../plain/types.js";
import { compute } from "./pointwise.js";

/** @internal The values of x as `dtype`, untracked. Shares the memory if x already has that dtype. */
export const converted = (x: Tensor, dtype: DType): Tensor => (x.dtype === dtype ? x.alias() : cast(x, dtype, false));

function cast(x: Tensor, dtype: DType, tracked: boolean): Tensor {
  return compute(dtype === "int32" ? "toInt" : "toFloat", "forward", { a: x }, x.shape, x.order, {}, tracked);
}

/**
 * Converts to another dtype (torch.Tensor.to). To int32, fractions are cut off, values out of range become the nearest
 * int32 and NaN becomes 0. Conversions to or from int32 have no gradient. A tensor that already has the dtype is
 * returned as a new handle on the same memory.
 */
export function to(x: Tensor, dtype: DType): Tensor {
  checkLive("to", "x", x);
  checkValue("to", "dtype", dtype, oneOf("float32", "int32"));
  if (x.dtype !== dtype) return cast(x, dtype, true);
  return record("to", x.alias({ tracked: true }), [x], [], (grad) => [grad.alias()]);
}
