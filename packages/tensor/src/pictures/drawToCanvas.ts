import { pixelParts, planCanvas } from "@fcn/kernels";
import { planned } from "../core/planned.js";
import { checkLive, contiguous, Tensor } from "../core/tensor.js";
import { isSwapped, openCanvas } from "../device/canvas.js";
import type { CanvasLike } from "../plain/canvas.js";
import { invalidShape, show } from "../plain/errors.js";

/**
 * Draws an image on a canvas of the page or of a worker, from the tensor's memory straight to what the browser shows:
 * nothing is read back. `pixels` is what `paint` returns, int32 [H, W] with four bytes a pixel (red, green, blue,
 * opacity), whose opacity lets through what lies under the canvas; or float32 [3, H, W] or [1, H, W] of values from 0
 * to 1, opaque. The canvas takes the size of the image. It belongs to WebGPU from then on, and has no 2d context; a
 * canvas that a lost device drew on can be drawn on by another one.
 *
 * Resolves when the work is handed to the GPU, which waits only where too much is queued. Throws `invalid-argument` for
 * a canvas with a context of another kind, and `limit-exceeded` for an image beyond the sides that the device can draw.
 *
 * @example
 * ```ts
 * import { createDevice, drawToCanvas } from "@fcn/tensor";
 *
 * const canvas = document.querySelector("canvas")!;
 * const device = await createDevice();
 * await drawToCanvas(device.rand([3, 48, 64], { seed: 1 }), canvas);
 * ```
 */
export async function drawToCanvas(pixels: Tensor, canvas: CanvasLike): Promise<void> {
  const op = "drawToCanvas";
  checkLive(op, "pixels", pixels);
  const { runtime, shape, dtype } = pixels;
  const { engine, capabilities } = runtime;
  const isPacked = dtype === "int32" && shape.length === 2;
  const isPlanes = dtype === "float32" && shape.length === 3 && (shape[0] === 3 || shape[0] === 1);
  if (!isPacked && !isPlanes) {
    throw invalidShape(
      `${op}: pixels have shape ${show(shape)} and dtype ${dtype}, expected int32 [H, W], or float32 [3, H, W] or [1, H, W]`,
      "pass what paint returns, or one image without its batch: reshape(x, [3, height, width])",
    );
  }
  const [height, width] = shape.slice(-2) as [number, number];
  const channels = isPacked ? 0 : (shape[0] as 1 | 3);
  using dense = contiguous(pixels);
  const draw = engine.isWarming ? undefined : openCanvas(op, engine, canvas, [height, width]);
  // A canvas is never wider than a row of a part.
  for (const part of pixelParts(height, width, width, capabilities)) {
    using words = Tensor.empty(runtime, [part.height, part.pitch], { dtype: "int32", tracked: false });
    const job = { pixels: height * width, above: part.top * width, part, channels, swapped: isSwapped() } as const;
    runtime.run(op, planned(planCanvas, job), { x: dense, y: words });
    draw?.({ words: words.storage, ...part });
  }
  await engine.throttle(op);
}
