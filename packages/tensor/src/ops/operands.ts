import type { Planned } from "../core/planned.js";
import { checkLive, inOrder, Tensor } from "../core/tensor.js";
import { invalidDType, invalidShape, show } from "../plain/errors.js";
import type { Order } from "../plain/layout.js";
import { checkRank, sameShape } from "../plain/shape.js";
import type { DType } from "../plain/types.js";

const checkDType =
  (...dtypes: readonly [DType, ...DType[]]) =>
  (op: string, name: string, x: Tensor): void => {
    checkLive(op, name, x);
    if (dtypes.includes(x.dtype)) return;
    const [dtype] = dtypes;
    const expected = dtypes.join(" or ");
    throw invalidDType(`${op}: ${name} of shape ${show(x.shape)} has dtype ${x.dtype}, expected ${expected}`, {
      code: x.dtype === "float16" ? `convert it: ${name}.to("${dtype}")` : `create ${name} with { dtype: "${dtype}" }`,
    });
  };

/** Throws unless `x` is a live float32 tensor. */
export const checkFloat = checkDType("float32");

/** Throws unless `x` is a live float32 or float16 tensor. */
export const checkReal = checkDType("float32", "float16");

/** Throws unless `x` is a live tensor of any dtype that is computed with. */
export const checkNumeric = checkDType("float32", "float16", "int32");

/** Throws unless `x` is a live int32 tensor. */
export const checkInt = checkDType("int32");

/** Throws unless each vector that is given is float32 and has one value for each of the channels of `owner`. */
export function checkVectors(
  op: string,
  vectors: Readonly<Record<string, Tensor | undefined>>,
  channels: number,
  owner: string,
): void {
  for (const [name, vector] of Object.entries(vectors)) {
    if (!vector) continue;
    checkFloat(op, name, vector);
    if (sameShape(vector.shape, [channels])) continue;
    throw invalidShape(
      `${op}: ${name} has shape ${show(vector.shape)}, expected [${channels}] for ${owner}`,
      `pass one ${name} a channel`,
    );
  }
}

export type Sizes4 = [n: number, channels: number, height: number, width: number];

/** The sizes of float32 or float16 images [N, C, H, W]. */
export function imageSizes(op: string, x: Tensor, names = "[N, C, H, W]"): Sizes4 {
  checkReal(op, "x", x);
  checkRank(op, "x", x.shape, 4, names);
  return [...x.shape] as Sizes4;
}

interface Place {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly order: Order;
  readonly from?: Order;
}

/**
 * The gradient of an op's only input, which has `shape` and `dtype` and lies in `order`: runs `plan` on dy,
 * in the order `from`, and on what was saved, into dx.
 */
export function inputGradient(
  op: string,
  plan: Planned,
  grad: Tensor,
  { shape, dtype, order, from = order }: Place,
  saved: Readonly<Record<string, Tensor | undefined>> = {},
): [Tensor] {
  const { runtime } = grad;
  using dy = inOrder(grad, from);
  const dx = Tensor.empty(runtime, shape, { dtype, order, tracked: false });
  runtime.run(`${op} backward`, plan, { ...saved, dy, dx });
  return [dx];
}
