import { TensorError } from "@fcn/tensor";
import { isNode } from "@fcn/tensor/internal";

/**
 * The decoder and encoder of images, which is native code. Throws a TensorError "unsupported" in a browser; `op` begins
 * its message.
 */
export async function loadSharp(op: string): Promise<typeof import("sharp")["default"]> {
  if (isNode()) return (await import("sharp")).default;
  throw new TensorError({
    code: "unsupported",
    message: `${op}: needs the package sharp, which runs in Node alone`,
    fix: "run it in Node; in a browser draw on an OffscreenCanvas",
  });
}
