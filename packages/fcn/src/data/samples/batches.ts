import { type Device, type Tensor, TensorError } from "@fcn/tensor";
import { checkValues, invalidArgument, rules } from "@fcn/tensor/internal";
import { extraLabelNames, mirrorSample, type SegmentationSample } from "../../labels/sample.js";
import { createRandom, type RandomSource, shuffledIndices } from "../random.js";
import { normaliseInto, type Preprocessing } from "./preprocessing.js";

/** One batch on the host: normalised images [N, C, H, W], and labels [N, H, W]. */
export interface HostBatch {
  readonly images: Float32Array;
  readonly labels: Int32Array;
  /** Extra labels by name, each [N, H, W]. */
  readonly more?: Readonly<Record<string, Int32Array>>;
  readonly shape: readonly [number, number, number, number];
}

/** One batch on the device: images float32 [N, C, H, W]; labels and extra labels int32 [N, H, W]. */
export interface TensorBatch {
  readonly images: Tensor;
  readonly labels: Tensor;
  readonly more?: Readonly<Record<string, Tensor>>;
}

/**
 * Stacks samples of one size into a batch. Throws `invalid-argument` if there are none or their extra labels have
 * different names, and `invalid-shape` if their sizes differ.
 */
export function stackSamples(samples: readonly SegmentationSample[], preprocessing: Preprocessing): HostBatch {
  const first = samples[0];
  if (!first) {
    throw invalidArgument("stackSamples: the batch is empty", "pass samples");
  }
  const { channels, height, width } = first.image;
  const images = new Float32Array(samples.length * channels * height * width);
  samples.forEach((sample, n) => {
    checkSameSize(first, sample);
    normaliseInto(images, n * channels * height * width, sample.image, preprocessing);
  });
  const stack = (labelsOf: (sample: SegmentationSample) => Uint8Array): Int32Array => {
    const labels = new Int32Array(samples.length * height * width);
    for (const [n, sample] of samples.entries()) labels.set(labelsOf(sample), n * height * width);
    return labels;
  };
  return {
    images,
    ...stackLabels("stackSamples", samples, stack),
    shape: [samples.length, channels, height, width],
  };
}

/** Combines the labels of samples, and each of their extra labels if they have any, by `stack`. */
export function stackLabels(
  op: string,
  samples: readonly SegmentationSample[],
  stack: (labelsOf: (sample: SegmentationSample) => Uint8Array) => Int32Array,
): Pick<HostBatch, "labels" | "more"> {
  const labels = stack((sample) => sample.labels);
  const maps = extraLabelNames(op, samples);
  if (maps.length === 0) return { labels };
  const more = maps.map((name) => [name, stack((sample) => sample.more?.[name] as Uint8Array)] as const);
  return { labels, more: Object.fromEntries(more) };
}

function checkSameSize(first: SegmentationSample, sample: SegmentationSample): void {
  const a = first.image;
  const b = sample.image;
  if (a.height === b.height && a.width === b.width && a.channels === b.channels) return;
  throw new TensorError({
    code: "invalid-shape",
    message: `stackSamples: "${sample.name}" is ${b.height}x${b.width}x${b.channels}, the batch began with ${a.height}x${a.width}x${a.channels}`,
    fix: "cut all samples of a batch to one size, or use batchSize 1",
  });
}

/** Copies a batch to the device. */
export function toTensors(device: Device, batch: HostBatch): TensorBatch {
  const [n, c, h, w] = batch.shape;
  const labelled = (labels: Int32Array): Tensor => device.tensor(labels, [n, h, w], { dtype: "int32" });
  const more = Object.entries(batch.more ?? {}).map(([name, labels]) => [name, labelled(labels)] as const);
  return {
    images: device.tensor(batch.images, [n, c, h, w]),
    labels: labelled(batch.labels),
    ...(batch.more ? { more: Object.fromEntries(more) } : {}),
  };
}

export interface BatchSamplerOptions {
  readonly batchSize: number;
  readonly seed: number;
  /** Whether to flip each sample left to right with probability one half. Default true. */
  readonly mirror?: boolean;
}

/**
 * Yields batches endlessly. Each pass over the samples is a new shuffle, determined by the seed. Throws
 * `invalid-argument` without samples.
 */
export class BatchSampler {
  private readonly random: RandomSource;
  private order: number[] = [];

  constructor(
    private readonly samples: readonly SegmentationSample[],
    private readonly options: BatchSamplerOptions,
  ) {
    checkValues("BatchSampler", [
      ["samples.length", samples.length, rules.whole(1)],
      ["batchSize", options.batchSize, rules.whole(1)],
    ]);
    this.random = createRandom(options.seed);
  }

  /** Returns the next `batchSize` samples. */
  next(): SegmentationSample[] {
    return Array.from({ length: this.options.batchSize }, () => this.draw());
  }

  private draw(): SegmentationSample {
    if (this.order.length === 0) this.order = shuffledIndices(this.samples.length, this.random);
    const sample = this.samples[this.order.pop() as number] as SegmentationSample;
    const flip = (this.options.mirror ?? true) && this.random() < 0.5;
    return flip ? mirrorSample(sample) : sample;
  }
}
