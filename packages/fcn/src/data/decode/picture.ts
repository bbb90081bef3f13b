import type { PictureSource } from "@fcn/tensor";
import { pictureSize } from "@fcn/tensor/internal";
import { checkImage, type RasterImage } from "../../labels/sample.js";
import { fileError, reasonOf } from "../files/errors.js";

/** The pixels of a picture of the page as RGB; messages begin with `op`. */
export function readPicture(op: string, picture: PictureSource): RasterImage & { readonly data: Uint8Array } {
  const { height, width } = pictureSize(op, picture);
  const data = "data" in picture ? picture.data : drawnPixels(op, picture, height, width);
  checkImage(op, { data: new Uint8Array(data.buffer, data.byteOffset, data.length), height, width, channels: 4 });
  return { data: withoutOpacity(data, height * width), height, width, channels: 3 };
}

/** What a 2D canvas shows of a picture, as rows of red, green, blue and opacity. */
export function drawnPixels(op: string, picture: unknown, height: number, width: number): Uint8ClampedArray {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (context === null) {
    const fix = "use another browser, or pass ImageData, which is read without a canvas";
    throw fileError("unsupported", op, "the image cannot be read: this browser has no 2D canvas", fix);
  }
  try {
    context.drawImage(picture as CanvasImageSource, 0, 0);
    return context.getImageData(0, 0, width, height).data;
  } catch (cause) {
    const fix = 'load it from this origin, or with crossOrigin = "anonymous" from a server that allows it (CORS)';
    throw fileError("invalid-argument", op, `the browser refuses the image: ${reasonOf(cause)}`, fix, cause);
  }
}

/** Rows of red, green and blue of so many pixels. */
export function withoutOpacity(rgba: Uint8Array | Uint8ClampedArray, pixels: number): Uint8Array {
  const rgb = new Uint8Array(pixels * 3);
  for (let i = 0, from = 0; i < rgb.length; i += 3, from += 4) {
    rgb[i] = rgba[from]!;
    rgb[i + 1] = rgba[from + 1]!;
    rgb[i + 2] = rgba[from + 2]!;
  }
  return rgb;
}
