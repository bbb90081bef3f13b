import { optim } from "@fcn/tensor";
import type { Preprocessing } from "../../data/preprocessing.js";
import type { ModelOptions } from "../../models/index.js";
import type { Colour } from "../../report/colours.js";
import type { TrainOptions } from "../../training/options.js";

export interface TransferOptions {
  readonly steps: number;
  readonly seed: number;
  /** Samples to train on and to score on. */
  readonly samples: number;
  readonly validation: number;
  /** Train at every rate of {@link CANDIDATE_RATES} and keep the best, for either start. */
  readonly search: boolean;
  readonly out: string;
  /** Folder of Tux Paint's stamps. */
  readonly stamps?: string;
  /** Folder of photographs. */
  readonly photos?: string;
  /** A TensorFlow.js model file with the trunk's weights. */
  readonly weights?: string;
}

/** The two beginnings that are compared. */
export const STARTS = ["random", "pretrained"] as const;
export type StartName = (typeof STARTS)[number];

export const MODEL = "fcn16s-mobilenetv2";
/** Folder of the trunk's model in the npm package nsfwjs. */
export const NSFWJS_MODEL = "mobilenet_v2";
/** What the pretrained trunk was fed with: 0 to 1. */
export const PREPROCESSING: Preprocessing = { channelOrder: "rgb", mean: [0, 0, 0], std: [255, 255, 255] };

/** Rates that a search tries. */
export const CANDIDATE_RATES = [3e-4, 1e-3, 3e-3, 1e-2, 3e-2];
/** The best of {@link CANDIDATE_RATES} for either start, as `fcn transfer --search` finds them. */
export const RATES: Readonly<Record<StartName, number>> = { random: 1e-2, pretrained: 1e-3 };
export const BATCH_SIZE = 4;
export const SAMPLE_SIZE = 128;
/** Part of the stamps of each class, and of the photographs, that is held back. */
export const HELD_BACK = 0.3;

/** MobileNetV2 as TensorFlow trains it. */
export function modelOptions(numClasses: number, seed: number): ModelOptions {
  return { numClasses, seed, samePadding: true, bnEps: 1e-3 };
}

/**
 * How either start is trained. Statistics of batch norm are worth keeping where they were learned; a random trunk has none and must use the
 * batch's.
 */
export function trainingOf(start: StartName): Pick<TrainOptions, "optimizer" | "freezeBatchNorm"> {
  return {
    optimizer: (parameters, lr) => new optim.AdamW(parameters, { lr, weightDecay: 0.01 }),
    freezeBatchNorm: start === "pretrained",
  };
}

/** Background, then one colour a class. */
export const COLOURS: readonly Colour[] = [
  [236, 239, 242],
  [209, 96, 61],
  [112, 78, 52],
  [214, 82, 158],
  [238, 178, 34],
  [61, 125, 209],
];
