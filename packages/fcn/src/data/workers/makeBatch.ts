import { TensorError } from "@fcn/tensor";
import { type SegmentationSample, VOID_LABEL } from "../../labels/sample.js";
import { augmentSample } from "../augment/augment.js";
import type { Augmentation } from "../augment/augmentation.js";
import { reasonOf, type ToldError, toldOf, unlessAway } from "../files/errors.js";
import { stackLabels } from "../samples/batches.js";
import { imageMean, normaliseInto, type Preprocessing } from "../samples/preprocessing.js";

/** The samples of one batch and how to process them. `T` is what a sample is loaded from. */
export interface BatchTask<T> {
  readonly entries: readonly {
    readonly index: number;
    readonly epoch: number;
    readonly name: string;
    readonly source: T;
  }[];
  readonly seed: number;
  readonly augmentation: Augmentation;
  readonly preprocessing: Preprocessing;
  /** Height and width are rounded up to a multiple of this. */
  readonly multipleOf: number;
}

/** A sample that could not be loaded. */
export interface SampleFailure extends ToldError {
  readonly name: string;
  readonly index: number;
}

/** A batch on the host, padded to one size. */
export interface HostSamples {
  /** float32 [N, C, H, W], normalised; 0 where the batch is larger than an image. */
  readonly images: Float32Array;
  /** int32 [N, H, W]; void where the batch is larger than an image. */
  readonly labels: Int32Array;
  /** Extra labels by name, like `labels`. */
  readonly more?: Readonly<Record<string, Int32Array>>;
  /** N, C, H, W. */
  readonly shape: readonly [number, number, number, number];
  readonly indices: readonly number[];
  readonly names: readonly string[];
  /** Height and width of each image before padding. */
  readonly sizes: readonly (readonly [height: number, width: number])[];
  /** Samples that were left out because they could not be loaded. */
  readonly failures: readonly SampleFailure[];
}

/**
 * Loads, augments, pads and stacks the samples of a batch. Failing samples are left out and listed. Throws `no-network`
 * where they could not be reached, since the batch would be another one.
 */
export async function makeBatch<T>(
  task: BatchTask<T>,
  load: (source: T) => Promise<SegmentationSample>,
): Promise<HostSamples> {
  const { entries, seed, preprocessing } = task;
  const augmentation = { fill: imageMean(preprocessing), ...task.augmentation };
  const failures: SampleFailure[] = [];
  const loaded = await Promise.all(
    entries.map(async ({ index, epoch, name, source }) => {
      try {
        return { index, sample: augmentSample(await load(source), augmentation, { seed, epoch, index }) };
      } catch (error) {
        failures.push({ index, name, ...describe(error) });
        return unlessAway(undefined)(error);
      }
    }),
  );
  const whole = loaded.filter((entry) => entry !== undefined);
  const samples = whole.map(({ sample }) => sample);
  failures.sort((a, b) => a.index - b.index);
  return { ...stackPadded(samples, task), indices: whole.map(({ index }) => index), failures };
}

function describe(error: unknown): ToldError {
  if (error instanceof TensorError) return toldOf(error);
  return { code: "unreadable-sample", message: reasonOf(error), fix: "see the file" };
}

function stackPadded(
  samples: readonly SegmentationSample[],
  { preprocessing, multipleOf }: Pick<BatchTask<unknown>, "preprocessing" | "multipleOf">,
): Omit<HostSamples, "indices" | "failures"> {
  const largest = (side: "height" | "width"): number => {
    const most = Math.max(0, ...samples.map(({ image }) => image[side]));
    return Math.ceil(most / multipleOf) * multipleOf;
  };
  const [height, width] = [largest("height"), largest("width")];
  const channels = samples[0]?.image.channels ?? 0;
  const images = new Float32Array(samples.length * channels * height * width);
  samples.forEach((sample, n) => {
    placePlanes(images, n * channels * height * width, { height, width }, sample, preprocessing);
  });
  const stack = (labelsOf: (sample: SegmentationSample) => Uint8Array): Int32Array => {
    const labels = new Int32Array(samples.length * height * width).fill(VOID_LABEL);
    samples.forEach((sample, n) => {
      placeLabels(labels, n * height * width, width, labelsOf(sample), sample.image.width);
    });
    return labels;
  };
  return {
    images,
    ...stackLabels("DataLoader", samples, stack),
    shape: [samples.length, channels, height, width],
    names: samples.map(({ name }) => name),
    sizes: samples.map(({ image }) => [image.height, image.width] as const),
  };
}

/** Copies normalised planes to the top left of the batch's larger ones. */
function placePlanes(
  out: Float32Array,
  offset: number,
  { height, width }: { readonly height: number; readonly width: number },
  { image }: SegmentationSample,
  preprocessing: Preprocessing,
): void {
  if (image.height === height && image.width === width) {
    normaliseInto(out, offset, image, preprocessing);
    return;
  }
  const planes = new Float32Array(image.channels * image.height * image.width);
  normaliseInto(planes, 0, image, preprocessing);
  for (let c = 0; c < image.channels; c++) {
    for (let y = 0; y < image.height; y++) {
      const from = (c * image.height + y) * image.width;
      out.set(planes.subarray(from, from + image.width), offset + (c * height + y) * width);
    }
  }
}

function placeLabels(out: Int32Array, offset: number, width: number, labels: Uint8Array, own: number): void {
  for (let y = 0; y * own < labels.length; y++) {
    out.set(labels.subarray(y * own, (y + 1) * own), offset + y * width);
  }
}
