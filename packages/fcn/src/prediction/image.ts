import type { PictureSource, TensorError } from "@fcn/tensor";
import { invalidArgument, isPicture, nodeModule } from "@fcn/tensor/internal";
import type { PixelScale } from "../data/decode/pixelScale.js";
import { fileName } from "../data/files/paths.js";
import { checkImage, type RasterImage } from "../labels/sample.js";

/**
 * An image: rows in memory (with `channels`, or as ImageData), an encoded one as bytes, Blob or File, or where one is:
 * a path (Node), an address of http, https, blob or data, on a page any address. On a page also an `<img>`, `<video>`,
 * canvas, OffscreenCanvas, ImageBitmap or VideoFrame.
 */
export type ImageInput = RasterImage | PictureSource | string | URL | Uint8Array | ArrayBuffer | Blob;

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
  if (typeof image === "string" || image instanceof URL) return toRaster(await bytesAt(op, image), name, scale, op);
  if (image instanceof Uint8Array || image instanceof ArrayBuffer || image instanceof Blob) {
    // Pages that predict what is on a canvas decode no files.
    const { decodeImage } = await import("../data/decode/image.js");
    return (await decodeImage(name, image, scale)).image;
  }
  if (isPicture(image)) {
    const { readPicture } = await import("../data/decode/image.js");
    return readPicture(op, image);
  }
  if (typeof image !== "object" || image === null || !("data" in image)) throw notAnImage(op, image);
  checkImage(op, image);
  return image;
}

/** The bytes of a file or of an address. */
async function bytesAt(op: string, image: string | URL): Promise<Uint8Array> {
  const { fetchBytes, remoteAddress } = await import("../files/fetchBytes.js");
  const address = remoteAddress(image);
  if (address) return fetchBytes(op, address);
  const { readBytes } = await import("../data/files/files.js");
  return readBytes(image instanceof URL ? nodeModule(op, "node:url").fileURLToPath(image) : image);
}

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
