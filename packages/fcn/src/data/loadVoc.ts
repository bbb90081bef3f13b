import { checkOptions, type RulesOf, rules } from "@fcn/tensor/internal";
import { DataLoader } from "./loader/loader.js";
import { open } from "./open/open.js";
import { IMAGENET_MEAN } from "./published/means.js";
import type { Classes, SegmentationDataset } from "./samples/dataset.js";
import type { Preprocessing } from "./samples/preprocessing.js";
import type { WorkerOptions } from "./workers/pool.js";

export interface LoadVocOptions extends WorkerOptions {
  /** Images a batch. */
  readonly batchSize: number;
  /** Height and width of the random windows that are trained on. Images that are smaller are left out. */
  readonly cropSize: readonly [height: number, width: number];
  /** Seed of order and windows. Default 0. */
  readonly seed?: number | undefined;
}

/** PASCAL VOC as the d2l book reads it. */
export interface VocData extends Classes {
  readonly numClasses: number;
  readonly preprocessing: Preprocessing;
  readonly train: SegmentationDataset;
  readonly test: SegmentationDataset;
  /** Batches of windows of `train`. */
  readonly loader: DataLoader;
  readonly batchSize: number;
}

const RULES: RulesOf<LoadVocOptions> = {
  batchSize: rules.required(rules.whole(1)),
  cropSize: rules.required(
    rules.rule("[height, width] in pixels", (value) => {
      return Array.isArray(value) && value.length === 2 && value.every((side) => rules.whole(1).holds(side));
    }),
  ),
  seed: rules.integer,
  workers: rules.whole(0),
};

/**
 * Opens PASCAL VOC for the fully convolutional network of the d2l book (`d2l.load_data_voc`): the folder of a year,
 * such as `VOCdevkit/VOC2012`, with unlabelled borders as background, and its lists `train` and `val`. Close `loader`
 * after use. Throws `missing-data` where the folder holds no such data.
 */
export async function loadVoc(root: string, options: LoadVocOptions): Promise<VocData> {
  checkOptions<LoadVocOptions>("loadVoc", options, RULES);
  const { batchSize, cropSize, seed = 0, workers } = options;
  const { splits, classes, palette } = await open(root, { layout: "voc", d2l: { crop: cropSize } });
  const { train, val: test } = splits as { readonly train: SegmentationDataset; readonly val: SegmentationDataset };
  const preprocessing = IMAGENET_MEAN;
  const loader = new DataLoader(train, {
    ...{ batchSize, preprocessing, seed, dropLast: true, augmentation: { crop: cropSize } },
    ...(workers === undefined ? {} : { workers }),
  });
  return { classes, palette, numClasses: classes.length, preprocessing, train, test, loader, batchSize };
}
