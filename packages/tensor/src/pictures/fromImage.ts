import { pixelParts, planCopy, planPlanes } from "@fcn/kernels";
import { planned } from "../core/planned.js";
import type { Runtime } from "../core/runtime.js";
import { Tensor } from "../core/tensor.js";
import { copyPicture } from "../device/copyPicture.js";
import type { Device } from "../device.js";
import { invalidShape, limitExceeded } from "../plain/errors.js";
import { checkOptions } from "../plain/options.js";
import { oneOf } from "../plain/rules.js";
import { pictureSize } from "./size.js";
import type { ImageDataLike, PictureSource } from "./source.js";

export interface FromImageOptions {
  /** 3 (default) for red, green and blue, 4 with opacity as well. */
  readonly channels?: 3 | 4 | undefined;
  /** Default "float32". "int32" gives the pixels as `paint` takes them, four bytes each: a tensor [H, W]. */
  readonly dtype?: "float32" | "int32" | undefined;
}

/** Planes that an image becomes: the byte of a pixel that each is made of, and what its 256 values stand for. */
export interface Planes {
  /** 0 is red, 1 green, 2 blue, 3 opacity. */
  readonly bytes: readonly number[];
  /** [planes, 256] */
  readonly table: Float32Array;
}

/** Every byte as a share of 255. */
function shares(channels: number): Planes {
  const bytes = Array.from({ length: channels }, (_, c) => c);
  return { bytes, table: Float32Array.from({ length: 256 * channels }, (_, i) => (i % 256) / 255) };
}

/**
 * A picture of the page as a float32 tensor [channels, H, W] of values from 0 to 1: an `<img>`, `<video>`, canvas,
 * OffscreenCanvas, ImageBitmap, VideoFrame or ImageData. The browser hands its pixels to the GPU without a way through
 * the host, except those of ImageData, which lie there. Values are bytes / 255 in sRGB, with straight colours under
 * opacity, as `getImageData` of a canvas gives them; an image of any size is taken.
 *
 * The picture is read before this returns. Throws `invalid-argument` for a picture that is not loaded, has no pixels,
 * is closed, comes from another origin without its leave, or is none.
 *
 * @example
 * ```ts
 * import { createDevice, fromImage } from "@fcn/tensor";
 *
 * const device = await createDevice();
 * const pixels = { data: Uint8ClampedArray.of(255, 0, 51, 255), height: 1, width: 1 }; // or an <img>, a canvas, ...
 * const x = fromImage(device, pixels);
 * console.log(x.shape, await x.data()); // [ 3, 1, 1 ] 1, 0, 0.2
 * device.destroy();
 * ```
 */
export function fromImage(device: Device, picture: PictureSource, options: FromImageOptions = {}): Tensor {
  checkOptions<FromImageOptions>("fromImage", options, { channels: oneOf(3, 4), dtype: oneOf("float32", "int32") });
  const { channels = 3, dtype = "float32" } = options;
  const pixels = pixelsOf("fromImage", device.runtime, picture, dtype === "int32");
  if (dtype === "int32") return pixels;
  try {
    return planesOf("fromImage", pixels, shares(channels));
  } finally {
    pixels.dispose();
  }
}

/** A picture as packed pixels, int32 [H, W]. */
function pixelsOf(op: string, runtime: Runtime, picture: PictureSource, tracked: boolean): Tensor {
  const { height, width } = pictureSize(op, picture);
  const { engine, capabilities } = runtime;
  const pixels = Tensor.empty(runtime, [height, width], { dtype: "int32", tracked });
  try {
    if ("data" in picture) {
      engine.write(pixels.storage, bytesOf(op, picture));
      return pixels;
    }
    const parts = pixelParts(height, width, engine.limits.maxTextureDimension2D, capabilities);
    if (parts.length === 0) throw tooWide(op, height, width, capabilities.bindingLimit);
    for (const part of parts) {
      using words = Tensor.empty(runtime, [part.height, part.pitch], { dtype: "int32", tracked: false });
      copyPicture(op, engine, picture, part, words.storage);
      const toOffset = part.top * width + part.left;
      const box = { sizes: [part.height, part.width], from: [part.pitch, 1], to: [width, 1], toOffset };
      runtime.run(op, planned(planCopy, box), { src: words, dst: pixels });
    }
    return pixels;
  } catch (error) {
    pixels.dispose();
    throw error;
  }
}

/** Packed pixels, int32 [H, W], as planes of floats [...lead, planes, H, W], where `lead` is nothing or ones. */
export function planesOf(op: string, pixels: Tensor, { bytes, table }: Planes, lead: readonly number[] = []): Tensor {
  const { runtime, shape } = pixels;
  using stands = Tensor.empty(runtime, [table.length], { tracked: false });
  runtime.engine.write(stands.storage, table);
  const y = Tensor.empty(runtime, [...lead, bytes.length, ...shape]);
  runtime.run(op, planned(planPlanes, pixels.size, bytes), { x: pixels, table: stands, y });
  return y;
}

function bytesOf(op: string, { data, height, width }: ImageDataLike): Uint8Array {
  if (data.length === height * width * 4) return new Uint8Array(data.buffer, data.byteOffset, data.length);
  throw invalidShape(
    `${op}: ImageData of ${height}x${width} needs ${height * width * 4} values, ${data.length} were given`,
    "pass rows of red, green, blue and opacity",
  );
}

const tooWide = (op: string, height: number, width: number, limit: number): Error =>
  limitExceeded(
    `${op}: a row of an image of ${height}x${width} pixels is larger than the ${limit} bytes that one binding can hold`,
    "use a smaller image, or cut it into parts",
  );
