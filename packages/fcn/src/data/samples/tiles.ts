import { TensorError } from "@fcn/tensor";
import { type RasterImage, type SegmentationSample, VOID_LABEL } from "../../labels/sample.js";

/** A rectangle in pixels, which excludes `left + width` and `top + height`. */
export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The square tiles inside `area` in row-major order, `stride` pixels apart. Tiles that would stick out are left out.
 * Throws `invalid-shape` unless `size` and `stride` are at least 1 pixel.
 */
export function tilePositions(area: Rectangle, size: number, stride: number): Rectangle[] {
  if (!(size >= 1 && stride >= 1)) {
    throw new TensorError({
      code: "invalid-shape",
      message: `tilePositions: size ${size} and stride ${stride}; both must be at least 1`,
      fix: "give whole, positive numbers of pixels",
    });
  }
  const tiles: Rectangle[] = [];
  for (let top = area.top; top + size <= area.top + area.height; top += stride) {
    for (let left = area.left; left + size <= area.left + area.width; left += stride) {
      tiles.push({ left, top, width: size, height: size });
    }
  }
  return tiles;
}

/** Copies a rectangle out of an image. */
export function cutImage(image: RasterImage, { left, top, width, height }: Rectangle): RasterImage {
  if (width === image.width && height === image.height) return image;
  const { channels } = image;
  const data = image.data.slice(0, width * height * channels);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * image.width + left) * channels;
    data.set(image.data.subarray(from, from + width * channels), y * width * channels);
  }
  return { data, height, width, channels };
}

/** Copies a rectangle out of an image and its labels. */
export function cutSample(
  name: string,
  image: RasterImage,
  labels: Uint8Array,
  rectangle: Rectangle,
): SegmentationSample {
  const { height, width } = image;
  const map = cutImage({ data: labels, height, width, channels: 1 }, rectangle);
  return { name, image: cutImage(image, rectangle), labels: map.data as Uint8Array };
}

/** The number of pixels of each class; void pixels are not counted. */
export function countLabels(samples: readonly SegmentationSample[], numClasses: number): number[] {
  const counts = new Array<number>(numClasses).fill(0);
  for (const { labels } of samples) {
    for (const label of labels) {
      if (label !== VOID_LABEL) counts[label] = (counts[label] ?? 0) + 1;
    }
  }
  return counts;
}
