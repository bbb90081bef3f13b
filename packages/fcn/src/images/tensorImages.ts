import { type Device, fromImage, type Tensor } from "@fcn/tensor";
import { invalidShape, isPicture } from "@fcn/tensor/internal";
import type { RasterImage } from "../labels/sample.js";
import { type ImageInput, nameOf, toRaster } from "../prediction/image.js";

/**
 * An image as a float32 tensor [channels, height, width] of values from 0 to 1 (torchvision.transforms.ToTensor). Takes
 * what `predict` takes: the path, address or bytes of a file, rows in memory, or a picture of the page, which reaches
 * the device without the host (`fromImage` of @fcn/tensor). A file that cannot be read throws an error that names it.
 */
export async function toTensor(device: Device, image: ImageInput): Promise<Tensor> {
  if (isPicture(image)) return fromImage(device, image);
  const { data, height, width, channels } = await toRaster(image, nameOf(image), {}, "toTensor");
  const pixels = height * width;
  const values = Float32Array.from({ length: pixels * channels }, (_, i) => {
    return (data[(i % pixels) * channels + Math.floor(i / pixels)] as number) / 255;
  });
  return device.tensor(values, [channels, height, width]);
}

/**
 * The image that a tensor [C, H, W] or [1, C, H, W] of values from 0 to 1 shows, with 1 or 3 channels
 * (torchvision.transforms.ToPILImage). Values beyond are clipped, and fractions rounded. Throws `invalid-shape` for
 * other shapes.
 */
export async function toImage(tensor: Tensor): Promise<RasterImage> {
  const { shape } = tensor;
  const [channels = 0, height = 0, width = 0] = shape.length === 4 && shape[0] === 1 ? shape.slice(1) : shape;
  const isImage = shape.length === 3 || (shape.length === 4 && shape[0] === 1);
  if (!isImage || (channels !== 1 && channels !== 3)) {
    throw invalidShape(
      `toImage: the tensor has shape [${shape}], expected [C, H, W] or [1, C, H, W] with 1 or 3 channels`,
      "slice or permute it, for example permute(x, [2, 0, 1]) where the channels come last",
    );
  }
  const values = await tensor.data();
  const pixels = height * width;
  const data = Uint8Array.from({ length: values.length }, (_, i) => {
    const value = values[(i % channels) * pixels + Math.floor(i / channels)] as number;
    return Math.min(255, Math.max(0, Math.round(value * 255)));
  });
  return { data, height, width, channels };
}
