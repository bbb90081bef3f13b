/**
 * Importing this makes every function that can be chained a method of tensors. Without a bundler they all are; a bundle
 * has the methods whose functions it imports.
 *
 * @module @fcn/tensor/chained
 */
import { type MethodName, method } from "./core/method.js";
import type { Tensor } from "./core/tensor.js";
import * as rows from "./ops/pointwise.generated.js";
import { clamp, elu, gelu, leakyRelu, softplus } from "./ops/pointwise.js";
import { argmax, argmin, max, mean, min, sum } from "./ops/reduce.js";
import { chunk, expand, flatten, split, squeeze, transpose, unsqueeze } from "./ops/shapes.js";
import { logSoftmax, softmax } from "./ops/softmax.js";
import { std, variance } from "./ops/variance.js";

const FUNCTIONS = {
  ...rows,
  ...{ clamp, elu, gelu, leakyRelu, softplus },
  ...{ argmax, argmin, max, mean, min, sum, std, variance, logSoftmax, softmax },
  ...{ chunk, expand, flatten, split, squeeze, transpose, unsqueeze },
} satisfies Record<MethodName, unknown>;

type Chained = (x: Tensor, ...rest: never[]) => unknown;

/** Functions of a tensor without their first operand, which is the tensor: `x.add(y).relu().mean()`. */
export type ChainedMethods = {
  [Name in keyof typeof FUNCTIONS]: (typeof FUNCTIONS)[Name] extends (x: Tensor, ...rest: infer Rest) => infer Result
    ? (...rest: Rest) => Result
    : never;
};

for (const [name, call] of Object.entries(FUNCTIONS)) method(name as MethodName, call as Chained);
