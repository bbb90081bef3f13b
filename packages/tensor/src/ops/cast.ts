import * as rows from "@fcn/kernels/pointwise";
import { record } from "../core/autograd.js";
import { checkLive, type Tensor } from "../core/tensor.js";
import { checkValue } from "../plain/options.js";
import { oneOf } from "../plain/rules.js";
import { DTYPES, type DType } from "../plain/types.js";
import { compute } from "./pointwise.js";

/** @internal The values of x as `dtype`, untracked. Shares the memory if x already has that dtype. */
export const converted = (x: Tensor, dtype: DType): Tensor => (x.dtype === dtype ? x.alias() : cast(x, dtype, false));

function cast(x: Tensor, dtype: DType, tracked: boolean): Tensor {
  const floats = x.dtype === "int32" ? rows.toFloat : rows.copy;
  const row = dtype === "int32" ? rows.toInt : floats;
  return compute(row, "forward", { a: x }, x.shape, x.order, {}, tracked, dtype);
}

/**
 * Converts to another dtype (torch.Tensor.to). To int32, fractions are cut off, values out of range become the nearest
 * int32 and NaN becomes 0. To float16, values are rounded to 11 bits, and from 65520 on become infinite. Conversions
 * between floats have a gradient, in the dtype of x. A tensor that already has the dtype is returned as a new handle on
 * the same memory.
 */
export function to(x: Tensor, dtype: DType): Tensor {
  checkLive("to", "x", x);
  checkValue("to", "dtype", dtype, oneOf(...DTYPES));
  const y = x.dtype === dtype ? x.alias({ tracked: true }) : cast(x, dtype, true);
  return dtype === "int32" ? y : record("to", y, [x], [], (grad) => [grad.alias()]);
}
