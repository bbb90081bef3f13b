import { planCumsum } from "@fcn/kernels";
import { record } from "../core/autograd.js";
import { planned } from "../core/planned.js";
import { inOrder, Tensor } from "../core/tensor.js";
import { checkOptions } from "../plain/options.js";
import { integer, required } from "../plain/rules.js";
import { dimIndex } from "../plain/shape.js";
import { checkFloat } from "./operands.js";

export interface CumsumOptions {
  /** The dim along which values are summed; negative ones count from the end. */
  readonly dim: number;
}

/** Running sums along `dim` (torch.cumsum). x: float32 of any shape; the result has that shape. */
export function cumsum(x: Tensor, options: CumsumOptions): Tensor {
  checkFloat("cumsum", "x", x);
  checkOptions<CumsumOptions>("cumsum", options, { dim: required(integer) });
  const { runtime, shape } = x;
  const dim = dimIndex("cumsum", options.dim, shape.length);
  const size = shape[dim]!;
  const order = [...x.order.filter((other) => other !== dim), dim];
  const run = (source: Tensor, reverse: boolean): Tensor => {
    using from = inOrder(source, order);
    const y = Tensor.empty(runtime, shape, { order, tracked: !reverse });
    runtime.run("cumsum", planned(planCumsum, x.size / size, size, reverse), { x: from, y });
    return y;
  };
  return record("cumsum", run(x, false), [x], [], (grad) => [run(grad, true)]);
}
