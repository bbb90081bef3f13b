import { type Device, type Tensor, TensorError } from "@fcn/tensor";
import { normaliseInto, type Preprocessing } from "./preprocessing.js";
import { createRandom, type RandomSource, shuffledIndices } from "./random.js";
import { mirrorSample, type SegmentationSample } from "./sample.js";

/** One batch on the host: images [N, C, H, W] normalised, labels [N, H, W]. */
export interface HostBatch {
  readonly images: Float32Array;
  readonly labels: Int32Array;
  readonly shape: readonly [number, number, number, number];
}

/** One batch on the device: images float32 [N, C, H, W], labels int32 [N, H, W]. */
export interface TensorBatch {
  readonly images: Tensor;
  readonly labels: Tensor;
}

/** Stacks samples of one size into a batch. */
export function stackSamples(samples: readonly SegmentationSample[], preprocessing: Preprocessing): HostBatch {
  const first = samples[0];
  if (!first) {
    throw new TensorError({
      code: "invalid-argument",
      message: "stackSamples: the batch is empty",
      fix: "pass samples",
    });
  }
  const { channels, height, width } = first.image;
  const images = new Float32Array(samples.length * channels * height * width);
  const labels = new Int32Array(samples.length * height * width);
  samples.forEach((sample, n) => {
    checkSameSize(first, sample);
    normaliseInto(images, n * channels * height * width, sample.image, preprocessing);
    labels.set(sample.labels, n * height * width);
  });
  return { images, labels, shape: [samples.length, channels, height, width] };
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
  return {
    images: device.tensor(batch.images, [n, c, h, w]),
    labels: device.tensor(batch.labels, [n, h, w], { dtype: "int32" }),
  };
}

export interface BatchSamplerOptions {
  readonly batchSize: number;
  readonly seed: number;
  /** Flip each sample left to right with probability one half. Default true. */
  readonly mirror?: boolean;
}

/** Endless batches: each pass over the samples is a new shuffle, fixed by the seed. */
export class BatchSampler {
  private readonly random: RandomSource;
  private order: number[] = [];

  constructor(
    private readonly samples: readonly SegmentationSample[],
    private readonly options: BatchSamplerOptions,
  ) {
    const { batchSize } = options;
    if (samples.length === 0 || !Number.isInteger(batchSize) || batchSize < 1) {
      throw new TensorError({
        code: "invalid-argument",
        message: `BatchSampler: ${samples.length} samples and batchSize ${batchSize}; both must be at least 1`,
        fix: "pass samples and a whole, positive batchSize",
      });
    }
    this.random = createRandom(options.seed);
  }

  /** The next `batchSize` samples. */
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
