import { TensorError } from "@fcn/tensor";
import { isNode } from "@fcn/tensor/internal";

/**
 * Loads the native image decoder and encoder. Throws `unsupported` in a browser, with a message that starts with `op`.
 */
export async function loadSharp(op: string): Promise<typeof import("sharp")["default"]> {
  if (isNode()) return (await import("sharp")).default;
  throw new TensorError({
    code: "unsupported",
    message: `${op}: needs the package sharp, which runs only in Node`,
    fix: "run it in Node; in a browser draw on an OffscreenCanvas",
  });
}
