import { show, TensorError } from "../errors.js";
import { checkRank } from "../shape.js";
import { checkLive, type Tensor } from "../tensor.js";

/** Throws unless `x` is a live float32 tensor. */
export function checkFloat(op: string, name: string, x: Tensor): void {
  checkLive(op, name, x);
  if (x.dtype === "float32") return;
  throw new TensorError({
    code: "invalid-dtype",
    message: `${op}: ${name} of shape ${show(x.shape)} has dtype ${x.dtype}, expected float32`,
    fix: { code: `create ${name} with { dtype: "float32" }` },
  });
}

/** The sizes of float32 images [N, C, H, W]. */
export function imageSizes(op: string, x: Tensor): [n: number, channels: number, height: number, width: number] {
  checkFloat(op, "x", x);
  checkRank(op, "x", x.shape, 4, "[N, C, H, W]");
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  return [n, channels, height, width];
}

/** The operands of a plan without the undefined ones. */
export const given = (operands: Record<string, Tensor | undefined>): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(operands).filter(([, t]) => t !== undefined)) as Record<string, Tensor>;
