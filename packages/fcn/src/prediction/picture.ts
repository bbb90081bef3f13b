import { TensorError } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";
import { decodeImage } from "../data/decode/image.js";
import type { PixelScale } from "../data/decode/pixelScale.js";
import { fileName, readBytes } from "../data/files/files.js";
import { checkImage, type RasterImage } from "../labels/sample.js";

/** Interleaved rows of red, green, blue and opacity, as the browser's ImageData. */
export interface RgbaPicture {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly height: number;
  readonly width: number;
}

/** A picture in memory (with `channels`, or as ImageData), or an encoded one: the path of a file (Node), or its bytes. */
export type Picture = RasterImage | RgbaPicture | string | URL | Uint8Array | ArrayBuffer;

/** The picture as interleaved rows; `scale` is that of encoded ones. Opacity is dropped. Throws a TensorError that names the file. */
export async function toRaster(picture: Picture, name = nameOf(picture), scale: PixelScale = {}): Promise<RasterImage> {
  if (picture instanceof Uint8Array) return (await decodeImage(name, picture, scale)).image;
  if (picture instanceof ArrayBuffer) return (await decodeImage(name, new Uint8Array(picture), scale)).image;
  if (typeof picture === "string") return (await decodeImage(name, await readBytes(picture), scale)).image;
  if (picture instanceof URL) {
    const { fileURLToPath } = nodeModule(name, "node:url");
    return toRaster(fileURLToPath(picture), name, scale);
  }
  if (typeof picture !== "object" || picture === null || !("data" in picture)) throw notAPicture(picture);
  if ("channels" in picture) {
    checkImage("predict", picture);
    return picture;
  }
  return dropOpacity(picture);
}

/** What a picture is called in messages and results. */
export function nameOf(picture: Picture): string {
  if (typeof picture === "string") return picture;
  return picture instanceof URL ? fileName(picture.pathname) : "the given picture";
}

function dropOpacity({ data, height, width }: RgbaPicture): RasterImage {
  checkImage("predict", {
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

function notAPicture(picture: unknown): TensorError {
  return new TensorError({
    code: "invalid-argument",
    message: `predict: got ${picture === null ? "null" : typeof picture}, but needs a picture`,
    fix: { code: "pass { data, height, width, channels }, ImageData, a path, or the bytes of a picture file" },
  });
}
