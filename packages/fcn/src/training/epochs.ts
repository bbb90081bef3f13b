import { checkValue, rules } from "@fcn/tensor/internal";
import type { DataLoader } from "../data/loader/loader.js";
import type { SegmentationDataset } from "../data/samples/dataset.js";
import { subset } from "../data/samples/dataset.js";
import type { Preprocessing } from "../data/samples/preprocessing.js";
import { evaluate } from "../evaluation/evaluate.js";
import type { SegmentationNet } from "../models/segmentationNet.js";
import { byAverage } from "./optimizer/average.js";
import { resolveTraining } from "./settings/resolve.js";
import type { TrainOptions } from "./settings/trainOptions.js";
import { train } from "./train.js";

/** What {@link trainEpochs} learns from and is scored on; `data.loadVoc` gives it. */
export interface EpochData {
  /** Batches to learn from; an epoch is all of them once. */
  readonly loader: DataLoader;
  /** Images a batch. */
  readonly batchSize: number;
  readonly train: SegmentationDataset;
  readonly test: SegmentationDataset;
  readonly preprocessing: Preprocessing;
  readonly numClasses: number;
}

/** The scores of an epoch. */
export interface EpochScores {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** The mean over the steps of the epoch; with `imageMeans`, which adds up images, the mean over these. */
  readonly loss: number;
  /** Share of the pixels of training images that are labelled right, over as many images as there are for testing. */
  readonly trainAccuracy: number;
  /** Share of the pixels of all test images that are labelled right. */
  readonly testAccuracy: number;
  readonly imagesPerSecond: number;
}

/** The options of {@link train} but for what the data say. */
export interface EpochOptions
  extends Omit<
    TrainOptions,
    | ("model" | "data" | "preprocessing" | "numClasses")
    | ("steps" | "readEvery" | "readAt" | "onProgress" | "from" | "pauseAt")
  > {
  readonly epochs: number;
  /** Takes a line for each epoch, with loss and accuracies: `console.log`, or something else that shows text. */
  readonly log?: ((line: string) => void) | undefined;
  readonly onEpoch?: ((scores: EpochScores) => void | Promise<void>) | undefined;
}

/**
 * Trains a net for so many passes over the data, and scores it after each (`train_ch13` of the d2l book). Images are
 * scored whole, not cut to windows. Returns the scores of all epochs. Throws what {@link train} throws.
 */
export async function trainEpochs(
  model: SegmentationNet,
  { loader, batchSize, train: seen, test, preprocessing, numClasses }: EpochData,
  { epochs, log, onEpoch, ...options }: EpochOptions,
): Promise<readonly EpochScores[]> {
  checkValue("trainEpochs", "epochs", epochs, rules.whole(1));
  const given = { ...options, model, preprocessing, numClasses, data: loader.batches() };
  const { reduction, accumulationSteps } = resolveTraining({ ...given, steps: epochs });
  const perEpoch = Math.max(1, Math.floor((await loader.batchesPerEpoch()) / accumulationSteps));
  const images = reduction === "imageMeans" ? batchSize * accumulationSteps : 1;
  const few = subset(
    seen,
    Array.from({ length: Math.min(seen.length, test.length) }, (_, i) => i),
  );
  const accuracyOn = async (samples: SegmentationDataset): Promise<number> =>
    (await evaluate(model, samples, { preprocessing, numClasses })).pixelAccuracy;
  const all: EpochScores[] = [];
  await train({
    ...given,
    steps: epochs * perEpoch,
    readEvery: perEpoch,
    onProgress: async ({ step, loss, imagesPerSecond }, _, __, average) => {
      const scores = {
        epoch: step / perEpoch,
        epochs,
        loss: loss / images,
        trainAccuracy: await byAverage(average, () => accuracyOn(few)),
        testAccuracy: await byAverage(average, () => accuracyOn(test)),
        imagesPerSecond,
      };
      all.push(scores);
      log?.(lineOf(scores));
      await onEpoch?.(scores);
    },
  });
  return all;
}

function lineOf({ epoch, epochs, loss, trainAccuracy, testAccuracy, imagesPerSecond }: EpochScores): string {
  const accuracies = `train acc ${trainAccuracy.toFixed(3)}, test acc ${testAccuracy.toFixed(3)}`;
  return `epoch ${epoch}/${epochs}: loss ${loss.toFixed(3)}, ${accuracies}, ${imagesPerSecond.toFixed(1)} images/sec`;
}
