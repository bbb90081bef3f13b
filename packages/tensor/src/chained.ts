import type { Tensor } from "./core/tensor.js";
import * as rows from "./ops/pointwise.generated.js";
import { clamp, elu, gelu, leakyRelu, softplus } from "./ops/pointwise.js";
import { argmax, argmin, max, mean, min, sum } from "./ops/reduce.js";
import { chunk, expand, flatten, split, squeeze, transpose, unsqueeze } from "./ops/shapes.js";
import { logSoftmax, softmax } from "./ops/softmax.js";
import { std, variance } from "./ops/variance.js";

/**
 * Functions of a tensor that are its methods too, by the same names. All of them are in every bundle that makes a
 * device, so ops with kernels of their own that few chain (convolutions, pools, products, losses, sorting) are not.
 */
const FUNCTIONS = {
  ...rows,
  ...{ clamp, elu, gelu, leakyRelu, softplus },
  ...{ argmax, argmin, max, mean, min, sum, std, variance, logSoftmax, softmax },
  ...{ chunk, expand, flatten, split, squeeze, transpose, unsqueeze },
};

/** Functions of a tensor without their first operand, which is the tensor: `x.add(y).relu().mean()`. */
export type ChainedMethods = {
  [Name in keyof typeof FUNCTIONS]: (typeof FUNCTIONS)[Name] extends (x: Tensor, ...rest: infer Rest) => infer Result
    ? (...rest: Rest) => Result
    : never;
};

type AnyFunction = (x: Tensor, ...rest: unknown[]) => unknown;

/** The functions as methods. */
export const chainedMethods = Object.fromEntries(
  Object.entries(FUNCTIONS).map(([name, call]) => [
    name,
    function (this: Tensor, ...rest: unknown[]) {
      return (call as AnyFunction)(this, ...rest);
    },
  ]),
);
