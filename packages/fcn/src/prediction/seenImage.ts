import { type Device, slice, type Tensor } from "@fcn/tensor";
import { type Planes, planesOf } from "@fcn/tensor/internal";
import { checkChannels, normaliseInto, type Preprocessing, sourceChannel } from "../data/samples/preprocessing.js";
import { cutImage, type Rectangle } from "../data/samples/tiles.js";
import type { RasterImage } from "../labels/sample.js";

/** An RGB image that lies on the device, as pixels of four bytes: int32 [H, W]. */
export interface PixelImage {
  readonly pixels: Tensor;
  readonly height: number;
  readonly width: number;
}

/** An image to predict, in the host's memory or on the device. */
export type SeenImage = RasterImage | PixelImage;

/** A rectangle of images of one size as the input of a net [N, C, height, width], normalised for it. */
export function tileInput(
  device: Device,
  images: readonly SeenImage[],
  preprocessing: Preprocessing,
  rectangle: Rectangle,
): Tensor {
  const { height, width } = rectangle;
  const [first] = images as readonly [SeenImage];
  if ("pixels" in first) return pixelInput(first, preprocessing, rectangle);
  const { channels } = first;
  const size = channels * height * width;
  const data = new Float32Array(images.length * size);
  for (const [n, image] of (images as readonly RasterImage[]).entries()) {
    normaliseInto(data, n * size, cutImage(image, rectangle), preprocessing);
  }
  return device.tensor(data, [images.length, channels, height, width]);
}

function pixelInput(
  { pixels, ...image }: PixelImage,
  preprocessing: Preprocessing,
  { top, left, height, width }: Rectangle,
): Tensor {
  const isWhole = height === image.height && width === image.width;
  const part = isWhole
    ? pixels
    : slice(pixels, [
        [top, top + height],
        [left, left + width],
      ]);
  const planes = planesOf("predict", part, planesOfBytes(preprocessing), [1]);
  if (!isWhole) part.dispose();
  return planes;
}

/** What `normaliseInto` makes of each of the 256 values of a byte, for every plane of an RGB image. */
function planesOfBytes(preprocessing: Preprocessing): Planes {
  checkChannels(3, preprocessing);
  const bytes = [0, 1, 2].map((c) => sourceChannel(c, 3, preprocessing));
  const table = Float32Array.from({ length: 3 * 256 }, (_, i) => {
    const c = Math.floor(i / 256);
    return ((i % 256) - (preprocessing.mean[c] as number)) * (1 / (preprocessing.std[c] as number));
  });
  return { bytes, table };
}
