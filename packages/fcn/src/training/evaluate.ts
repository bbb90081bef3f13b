import { argmax, noGrad } from "@fcn/tensor";
import { stackSamples } from "../data/batches.js";
import { boundaryBand } from "../data/boundary.js";
import type { Preprocessing } from "../data/preprocessing.js";
import { checkSample, type SegmentationSample } from "../data/sample.js";
import { SegmentationMetrics, type SegmentationScores } from "../metrics.js";
import { deviceOf, mainLogits, type SegmentationNet } from "./model.js";

export interface BandOptions {
  /** Pixels on each side of the boundary. */
  readonly radius: number;
  /** Which side of the boundary a class lies on. */
  readonly side: (label: number) => number;
}

export interface EvaluateOptions {
  readonly preprocessing: Preprocessing;
  readonly numClasses: number;
  /** Samples predicted at a time; those of one batch must have one size. Default 1. */
  readonly batchSize?: number;
  /** Also scores the pixels near a boundary alone. */
  readonly band?: BandOptions;
}

export interface Evaluation extends SegmentationScores {
  /** Scores of the pixels near the boundary, when a band was asked for. */
  readonly band?: SegmentationScores;
}

/** Predicts all samples in evaluation mode and scores them together; void pixels do not count. */
export async function evaluate(
  model: SegmentationNet,
  samples: readonly SegmentationSample[],
  options: EvaluateOptions,
): Promise<Evaluation> {
  const predictions: Uint8Array[] = [];
  const batchSize = options.batchSize ?? 1;
  for (let at = 0; at < samples.length; at += batchSize) {
    predictions.push(...(await predictSamples(model, samples.slice(at, at + batchSize), options)));
  }
  return scorePredictions(predictions, samples, options);
}

/** Scores label maps that exist already, such as a constant baseline, as {@link evaluate} would. */
export function scorePredictions(
  predictions: readonly ArrayLike<number>[],
  samples: readonly SegmentationSample[],
  { numClasses, band }: Pick<EvaluateOptions, "numClasses" | "band">,
): Evaluation {
  const all = new SegmentationMetrics(numClasses);
  const near = new SegmentationMetrics(numClasses);
  samples.forEach((sample, i) => {
    checkSample("evaluate", sample, numClasses);
    const prediction = predictions[i] as ArrayLike<number>;
    all.update(prediction, sample.labels);
    if (band) near.update(prediction, boundaryBand(sample.labels, { ...sample.image, ...band }));
  });
  return band ? { ...all.compute(), band: near.compute() } : all.compute();
}

/** Label maps of samples of one size, the argmax taken on the GPU. Restores the model's training mode. */
export async function predictSamples(
  model: SegmentationNet,
  samples: readonly SegmentationSample[],
  { preprocessing }: Pick<EvaluateOptions, "preprocessing">,
): Promise<Uint8Array[]> {
  const device = deviceOf(model);
  const wasTraining = model.training;
  model.eval();
  try {
    const { images, shape } = stackSamples(samples, preprocessing);
    const flat = await device.scope(async () => {
      const logits = noGrad(() => mainLogits(model.forward(device.tensor(images, shape))));
      return argmax(logits, { dim: 1 }).data();
    });
    const size = flat.length / samples.length;
    return samples.map((_, i) => Uint8Array.from(flat.subarray(i * size, (i + 1) * size)));
  } finally {
    model.train(wasTraining);
  }
}
