import type { Nd } from "../nd.js";
import type { Activation } from "./activation.js";

/** What follows an op: its result plus the residual, then the activation. */
export function epilogue(y: Nd, residual: Nd | undefined, activation: Activation | undefined): Nd {
  const most = activation === "relu6" ? 6 : Number.POSITIVE_INFINITY;
  const sums = y.data.map((value, i) => value + (residual ? residual.data[i]! : 0));
  return { shape: y.shape, data: activation ? sums.map((sum) => Math.min(Math.max(sum, 0), most)) : sums };
}
