import type { Activation } from "@fcn/kernels";
import type { Tensor } from "../core/tensor.js";
import { invalidShape, show } from "../plain/errors.js";
import { checkedInUse, oneOf, type RulesOf } from "../plain/rules.js";
import { sameShape } from "../plain/shape.js";
import { checkReal } from "./operands.js";

/** What an op does to its result as it writes it, which saves passes over memory and changes no bits. */
export interface Epilogue {
  /** Added to the result: float32 or float16 of the shape of the result, without broadcasting. */
  readonly residual?: Tensor | undefined;
  /** Applied last: `relu` or `relu6`. */
  readonly activation?: Activation | undefined;
}

/** @internal */
export const EPILOGUE: RulesOf<Epilogue> = { residual: checkedInUse, activation: oneOf("relu", "relu6") };

/** @internal Throws unless the residual, where there is one, is of floats and has the shape of the result. */
export function checkResidual(op: string, residual: Tensor | undefined, shape: readonly number[]): void {
  if (!residual) return;
  checkReal(op, "residual", residual);
  if (sameShape(residual.shape, shape)) return;
  throw invalidShape(
    `${op}: residual has shape ${show(residual.shape)}, the result ${show(shape)}`,
    "pass a residual of the shape of the result, or use add, which broadcasts",
  );
}
