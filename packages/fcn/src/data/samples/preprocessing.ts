import { TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { checkImage, type RasterImage, type SegmentationSample } from "../../labels/sample.js";
import type { PixelScale } from "../decode/pixelScale.js";

/** How an image becomes the input of a net: `(value - mean[c]) / std[c]`, with the channels in the given order. */
export interface Preprocessing extends PixelScale {
  /** "bgr" reverses the first three channels; further ones (depth, a second image) keep their place. */
  readonly channelOrder: "rgb" | "bgr";
  /** One value per channel in the net's channel order, on the image's scale (0 to 255). */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * Writes one normalised image as planes (C, H, W) into `out` from `offset` on. Throws `invalid-shape` if they do not
 * fit.
 */
export function normaliseInto(
  out: Float32Array,
  offset: number,
  image: RasterImage,
  preprocessing: Preprocessing,
): void {
  checkImage("normalise", image);
  checkChannels(image.channels, preprocessing);
  const { data, channels } = image;
  const plane = image.height * image.width;
  for (let c = 0; c < channels; c++) {
    const source = sourceChannel(c, channels, preprocessing);
    const mean = preprocessing.mean[c] as number;
    const scale = 1 / (preprocessing.std[c] as number);
    for (let p = 0; p < plane; p++) {
      out[offset + c * plane + p] = ((data[p * channels + source] as number) - mean) * scale;
    }
  }
}

/** The image that one of the planes (C, H, W) shows which {@link normaliseInto} wrote. */
export function imageOf(
  planes: Float32Array,
  [, channels, height, width]: readonly [number, number, number, number],
  preprocessing: Preprocessing,
): RasterImage {
  const plane = height * width;
  const data = new Float32Array(planes.length);
  for (let c = 0; c < channels; c++) {
    const target = sourceChannel(c, channels, preprocessing);
    const [mean, std] = [preprocessing.mean[c] as number, preprocessing.std[c] as number];
    for (let p = 0; p < plane; p++) data[p * channels + target] = (planes[c * plane + p] as number) * std + mean;
  }
  return { data, height, width, channels };
}

/** The image channel that becomes channel `c` of the net. */
export function sourceChannel(c: number, channels: number, { channelOrder }: Preprocessing): number {
  return channelOrder === "bgr" && channels >= 3 && c < 3 ? 2 - c : c;
}

/** The channel values of an image that are normalised to 0. */
export function imageMean(preprocessing: Preprocessing): number[] {
  const { mean } = preprocessing;
  return mean.map((_, c) => mean[sourceChannel(c, mean.length, preprocessing)] as number);
}

/** Throws `invalid-shape` unless the preprocessing is for so many channels. */
export function checkChannels(channels: number, { mean, std }: Preprocessing): void {
  if (mean.length === channels && std.length === channels && std.every((s) => s > 0)) return;
  throw new TensorError({
    code: "invalid-shape",
    message: `normalise: the image has ${channels} channels, mean has ${mean.length} values and std ${std.length} (each above 0)`,
    fix: "give one mean and one positive std per channel",
  });
}

/**
 * The mean and standard deviation of each channel over all pixels, in the images' channel order. Throws
 * `invalid-argument` without samples.
 */
export function measurePreprocessing(samples: readonly SegmentationSample[]): Preprocessing {
  const first = samples[0];
  if (!first) {
    throw invalidArgument("measurePreprocessing: no sample was given", "pass at least one sample");
  }
  const channels = first.image.channels;
  const sum = new Float64Array(channels);
  const squares = new Float64Array(channels);
  let count = 0;
  for (const { image } of samples) {
    count += image.height * image.width;
    image.data.forEach((value, i) => {
      const c = i % channels;
      sum[c] = (sum[c] as number) + value;
      squares[c] = (squares[c] as number) + value * value;
    });
  }
  const mean = Array.from(sum, (s) => s / count);
  const std = Array.from(squares, (s, c) => Math.sqrt(Math.max(s / count - (mean[c] as number) ** 2, 1e-6)));
  return { channelOrder: "rgb", mean, std };
}
