import type { TensorError } from "@fcn/tensor";
import { invalidArgument, nodeModule } from "@fcn/tensor/internal";
import type { PixelScale } from "../data/decode/pixelScale.js";
import { fileName } from "../data/files/paths.js";
import { checkImage, type RasterImage } from "../labels/sample.js";

/** Interleaved rows of red, green, blue and opacity, as in the browser's ImageData. */
export interface ImageDataLike {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly height: number;
  readonly width: number;
}

/** An image in memory (with `channels`, or as ImageData), or an encoded one: the path of a file (Node) or its bytes. */
export type ImageInput = RasterImage | ImageDataLike | string | URL | Uint8Array | ArrayBuffer;

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
  if (image instanceof URL) return toRaster(nodeModule(name, "node:url").fileURLToPath(image), name, scale, op);
  if (typeof image === "string") {
    const { readBytes } = await import("../data/files/files.js");
    return toRaster(await readBytes(image), name, scale, op);
  }
  if (image instanceof ArrayBuffer) return toRaster(new Uint8Array(image), name, scale, op);
  if (image instanceof Uint8Array) {
    // Pages that predict what is on a canvas decode no files.
    const { decodeImage } = await import("../data/decode/image.js");
    return (await decodeImage(name, image, scale)).image;
  }
  if (typeof image !== "object" || image === null || !("data" in image)) throw notAnImage(op, image);
  if ("channels" in image) {
    checkImage(op, image);
    return image;
  }
  return dropOpacity(op, image);
}

/** The name of an image in messages and results. */
export function nameOf(image: ImageInput): string {
  if (typeof image === "string") return image;
  return image instanceof URL ? fileName(image.pathname) : "the given image";
}

function dropOpacity(op: string, { data, height, width }: ImageDataLike): RasterImage {
  checkImage(op, {
    data: new Uint8Array(data.buffer, data.byteOffset, data.length),
    height,
    width,
    channels: 4,
  });
  const rgb = new Uint8Array(height * width * 3);
  for (let i = 0, from = 0; i < rgb.length; i += 3, from += 4) {
    rgb[i] = data[from]!;
    rgb[i + 1] = data[from + 1]!;
    rgb[i + 2] = data[from + 2]!;
  }
  return { data: rgb, height, width, channels: 3 };
}

function notAnImage(op: string, image: unknown): TensorError {
  return invalidArgument(`${op}: got ${image === null ? "null" : typeof image}, but needs an image`, {
    code: "pass { data, height, width, channels }, ImageData, a path, or the bytes of an image file",
  });
}
