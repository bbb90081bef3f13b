import { mapLabels, type RasterImage, type SegmentationSample, VOID_LABEL } from "../../labels/sample.js";
import { createRandom, hashSeeds, type RandomSource } from "../random.js";
import { type Augmentation, DEFAULT_FILL } from "./augmentation.js";
import { changeColours } from "./colour.js";
import { type Affine, type Raster, warpBilinear, warpNearest } from "./warp.js";

/** All that the random changes of one sample depend on, so they do not depend on what was drawn before. */
export interface SampleKey {
  readonly seed: number;
  readonly epoch: number;
  /** Position of the sample in its data set. */
  readonly index: number;
}

/** Each kind of change draws from its own stream, so adding one leaves the others unchanged. */
const STREAMS = { scale: 1, rotate: 2, mirror: 3, jitter: 4, crop: 5, colour: 6 } as const;

/**
 * Returns a randomly changed copy of the sample: the image is resampled bilinearly, its labels by nearest neighbour at
 * the same points. Values are copied exactly if every pixel of the result falls on a pixel of the image.
 */
export function augmentSample(
  sample: SegmentationSample,
  augmentation: Augmentation,
  { seed, epoch, index }: SampleKey,
): SegmentationSample {
  const random = (stream: keyof typeof STREAMS): RandomSource => {
    return createRandom(hashSeeds(seed, epoch, index, STREAMS[stream]));
  };
  const { moved, outside } = hasGeometry(augmentation) ? moveSample(sample, augmentation, random) : { moved: sample };
  if (augmentation.colour === undefined) return moved;
  const image = changeColours(moved.image, augmentation.colour, random("colour"));
  if (outside) refill(image, outside, fillOf(image, augmentation));
  return { ...moved, image };
}

/** Restores the fill, which is not part of the image, after colour changes. `outside` is 1 where there is no image. */
function refill({ data, channels }: RasterImage, outside: Uint8Array, fill: readonly number[]): void {
  const half = data instanceof Uint8Array ? 0.5 : 0;
  for (let i = outside.indexOf(1); i >= 0; i = outside.indexOf(1, i + 1)) {
    for (let c = 0; c < channels; c++) data[i * channels + c] = (fill[c] as number) + half;
  }
}

/** The value of each channel outside the image. */
function fillOf({ channels }: RasterImage, { fill = DEFAULT_FILL }: Augmentation): number[] {
  return Array.from({ length: channels }, (_, c) => fill[c] ?? 0);
}

function hasGeometry({ scale, rotate, mirror, jitter, crop }: Augmentation): boolean {
  return scale !== undefined || Boolean(rotate) || Boolean(mirror) || Boolean(jitter) || crop !== undefined;
}

function moveSample(
  sample: SegmentationSample,
  augmentation: Augmentation,
  random: (stream: keyof typeof STREAMS) => RandomSource,
): { moved: SegmentationSample; outside?: Uint8Array } {
  const { image } = sample;
  const { affine, height, width } = drawGeometry(image, augmentation, random);
  const from: Raster = { ...image, channels: 1, data: new Uint8Array(0) };
  const warp = (plane: Uint8Array, fill: number): Uint8Array =>
    warpNearest({ ...from, data: plane }, { height, width }, affine, [fill]) as Uint8Array;
  const labelled = mapLabels(sample, (labels) => warp(labels, VOID_LABEL));
  const data = warpBilinear(image, { height, width }, affine, fillOf(image, augmentation));
  const moved = { ...labelled, image: { ...image, data, height, width } };
  if (augmentation.colour === undefined) return { moved };
  return { moved, outside: warp(new Uint8Array(image.height * image.width), 1) };
}

/** The size of the result, and the map from its points to points of the image. */
function drawGeometry(
  image: { readonly height: number; readonly width: number },
  { scale, rotate = 0, mirror = false, jitter = 0, crop }: Augmentation,
  random: (stream: keyof typeof STREAMS) => RandomSource,
): { affine: Affine; height: number; width: number } {
  const factor = scale ? scale[0] * (scale[1] / scale[0]) ** random("scale")() : 1;
  const scaled = { height: sideOf(image.height, factor), width: sideOf(image.width, factor) };
  const angle = rotate ? ((2 * random("rotate")() - 1) * rotate * Math.PI) / 180 : 0;
  const chance = mirror === true ? 0.5 : Number(mirror);
  const flip = random("mirror")() < chance ? -1 : 1;
  const shift = random("jitter");
  const within = (reach: number): number => Math.floor(shift() * (2 * reach + 1)) - reach;
  const [downBy, rightBy] = [within(jitter), within(jitter)];
  const [height, width] = crop ?? [scaled.height, scaled.width];
  const place = random("crop");
  const top = between(place(), scaled.height - height) - downBy;
  const left = between(place(), scaled.width - width) - rightBy;
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const [ratioX, ratioY] = [image.width / scaled.width, image.height / scaled.height];
  // Maps a point of the result to the scaled image relative to its centre, undoes mirroring and rotation, and scales to
  // the size of the image.
  const [middleX, middleY] = [scaled.width / 2, scaled.height / 2];
  const [startX, startY] = [flip * (left - middleX), top - middleY];
  return {
    height,
    width,
    affine: {
      xx: cos * flip * ratioX,
      xy: sin * ratioX,
      x: (cos * startX + sin * startY + middleX) * ratioX,
      yx: -sin * flip * ratioY,
      yy: cos * ratioY,
      y: (-sin * startX + cos * startY + middleY) * ratioY,
    },
  };
}

const sideOf = (side: number, factor: number): number => Math.max(1, Math.round(side * factor));

/** A whole number from 0 to `room`, or from `room` to 0 where it is negative. */
function between(part: number, room: number): number {
  return room >= 0 ? Math.floor(part * (room + 1)) : -Math.floor(part * (1 - room));
}
