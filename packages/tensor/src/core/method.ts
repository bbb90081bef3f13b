import { TensorError } from "../plain/errors.js";
import { rowNames } from "./rowNames.generated.js";
import { Tensor } from "./tensor.js";

type AnyMethod = (this: Tensor, ...rest: never[]) => unknown;

/** Gives all tensors a method. */
export function define(name: string, value: AnyMethod): void {
  Object.defineProperty(Tensor.prototype, name, { value, configurable: true, writable: true });
}

export type MethodName = (typeof METHODS)[number];

/**
 * Makes a function of a tensor its method too, and returns it. The calls are marked as pure, so that bundlers leave out
 * a function that nothing imports together with its method, for which the error below then stands.
 */
export function method<F extends (x: Tensor, ...rest: never[]) => unknown>(name: MethodName, call: F): F {
  define(name, function (this: Tensor, ...rest) {
    return call(this, ...rest);
  });
  return call;
}

/**
 * The names of the functions that are methods. Ops with kernels of their own that few chain (convolutions, pools,
 * products, losses, sorting) are not.
 */
export const METHODS = [
  ...rowNames,
  "clamp",
  "elu",
  "gelu",
  "leakyRelu",
  "softplus",
  "argmax",
  "argmin",
  "max",
  "mean",
  "min",
  "sum",
  "std",
  "variance",
  "logSoftmax",
  "softmax",
  "chunk",
  "expand",
  "flatten",
  "split",
  "squeeze",
  "transpose",
  "unsqueeze",
] as const;

for (const name of METHODS) {
  define(name, () => {
    throw new TensorError({
      code: "unsupported",
      message: `${name}: this bundle has no method of that name, since nothing imports the function ${name}`,
      fix: { code: `import { ${name} } from "@fcn/tensor", or all methods by import "@fcn/tensor/chained"` },
    });
  });
}
