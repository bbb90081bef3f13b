import type { Device, Tensor } from "@fcn/tensor";
import { normaliseInto, type Preprocessing } from "../data/samples/preprocessing.js";
import { cutImage, type Rectangle } from "../data/samples/tiles.js";
import type { RasterImage } from "../labels/sample.js";

/** An image that lies on the device, and makes of a rectangle of itself an input [1, C, height, width], normalised. */
export interface DeviceImage {
  readonly height: number;
  readonly width: number;
  readonly input: (preprocessing: Preprocessing, rectangle: Rectangle) => Tensor;
}

/** An image to predict, in the host's memory or on the device. */
export type SeenImage = RasterImage | DeviceImage;

/** A rectangle of images of one size as the input of a net [N, C, height, width], normalised for it. */
export function tileInput(
  device: Device,
  images: readonly SeenImage[],
  preprocessing: Preprocessing,
  rectangle: Rectangle,
): Tensor {
  const { height, width } = rectangle;
  const [first] = images as readonly [SeenImage];
  if ("input" in first) return first.input(preprocessing, rectangle);
  const { channels } = first;
  const size = channels * height * width;
  const data = new Float32Array(images.length * size);
  for (const [n, image] of (images as readonly RasterImage[]).entries()) {
    normaliseInto(data, n * size, cutImage(image, rectangle), preprocessing);
  }
  return device.tensor(data, [images.length, channels, height, width]);
}
