import type { PictureSource, TensorError } from "@fcn/tensor";
import { invalidArgument, isPicture } from "@fcn/tensor/internal";
import type { EncodedImage } from "../data/decode/imageBytes.js";
import { readPicture } from "../data/decode/picture.js";
import type { PixelScale } from "../data/decode/pixelScale.js";
import { fileName } from "../data/files/paths.js";
import { checkImage, type RasterImage } from "../labels/sample.js";

/**
 * An image: rows in memory (with `channels`, or as ImageData), an encoded one as bytes, Blob or File, or where one is:
 * a path (Node), an address of http, https, blob or data, on a page any address. On a page also an `<img>`, `<video>`,
 * canvas, OffscreenCanvas, ImageBitmap or VideoFrame.
 */
export type ImageInput = RasterImage | PictureSource | EncodedImage;

/**
 * The image as interleaved rows without opacity. `scale` applies to encoded images. Throws a TensorError that names the
 * file, or `op` for what is no image.
 */
export async function toRaster(
  image: ImageInput,
  name = nameOf(image),
  scale: PixelScale = {},
  op = "predict",
): Promise<RasterImage> {
  if (isEncoded(image)) {
    // Pages that predict what is on a canvas load no files.
    const { imageBytes } = await import("../data/decode/imageBytes.js");
    const { decodeImage } = await import("../data/decode/image.js");
    return (await decodeImage(name, await imageBytes(op, image), scale)).image;
  }
  if (isPicture(image)) return readPicture(op, image);
  if (typeof image !== "object" || image === null || !("data" in image)) throw notAnImage(op, image);
  checkImage(op, image);
  return image;
}

const isEncoded = (image: ImageInput): image is EncodedImage =>
  typeof image === "string" || [URL, Uint8Array, ArrayBuffer, Blob].some((kind) => image instanceof kind);

/** The name of an image in messages and results. */
export function nameOf(image: ImageInput): string {
  if (typeof image === "string") return image.startsWith("data:") ? "the data address" : image;
  if (image instanceof URL) return nameOf(image.protocol === "data:" ? image.href : fileName(image.pathname));
  const { name } = image as { readonly name?: unknown };
  return image instanceof Blob && typeof name === "string" ? name : "the given image";
}

function notAnImage(op: string, image: unknown): TensorError {
  return invalidArgument(`${op}: got ${image === null ? "null" : typeof image}, but needs an image`, {
    code: "pass { data, height, width, channels }, ImageData, an <img> or canvas, a path or an address, or the bytes of an image file",
  });
}
