import { planFill, planRandom, planStrided, wordBits } from "@fcn/kernels";
import * as rows from "@fcn/kernels/pointwise";
import { checkInt32 } from "../plain/hostValues.js";
import {
  checkMake,
  checkRandom,
  type Distribution,
  type MakeOptions,
  type RandomOptions,
} from "../plain/makeOptions.js";
import { checkValue } from "../plain/options.js";
import { anyNumber } from "../plain/rules.js";
import { planned } from "./planned.js";
import type { Runtime } from "./runtime.js";
import { copyInto, Tensor } from "./tensor.js";

/** A tensor whose elements are all `value`. Errors name `op`. */
export function full(
  op: string,
  runtime: Runtime,
  shape: readonly number[],
  value: number,
  options: MakeOptions = {},
): Tensor {
  checkValue(op, "value", value, anyNumber);
  if (options?.dtype === "int32") checkInt32(op, "value", value);
  checkMake(op, shape, options);
  const out = Tensor.empty(runtime, shape, options);
  if (out.dtype !== "float16") {
    runtime.run(op, planned(planFill, out.size, wordBits(value, out.dtype)), { y: out });
    return out;
  }
  using one = full(op, runtime, [], value, { tracked: false });
  const repeat = planned(planStrided, { name: rows.copy.name, part: "forward" }, [out.size], { a: [0] });
  runtime.run(op, repeat, { a: one, result: out });
  return out;
}

/** A tensor of random numbers. Errors name `op`. */
export function random(
  op: string,
  runtime: Runtime,
  shape: readonly number[],
  distribution: Distribution,
  options: RandomOptions,
): Tensor {
  const { seed, order, ...rest } = options;
  checkRandom(op, shape, distribution, options);
  let key = { seed: 0, stream: 0 };
  runtime.each(() => {
    key = runtime.seedFrom(op, seed);
  });
  // Random numbers are assigned in row-major order, whatever the storage order of the tensor.
  const made = Tensor.empty(runtime, shape, rest);
  runtime.run(op, () => planned(planRandom, { ...distribution, count: made.size, ...key }), { y: made });
  if (!order || made.isStoredIn(order)) return made;
  const stored = Tensor.empty(runtime, shape, { ...rest, order });
  copyInto(stored, made);
  made.dispose();
  return stored;
}
