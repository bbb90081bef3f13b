import type { Augmentation } from "../../data/augment/augmentation.js";
import { sampleOrders } from "../../data/loader/plan.js";
import { PREPROCESSINGS } from "../../data/published/means.js";
import { ADAPTER, TUNE } from "../../measure/tunedDevice.js";
import { modelReader } from "../../models/modelReader.js";
import { chooseFrom } from "../../options/closest.js";
import { assignments, type FlagRule, mapped, number, oneOf, positive, size, whole } from "../../options/rules.js";
import { listWeights } from "../../weights/registry/registry.js";
import { listRecipes } from "./recipes.js";
import { DEFAULT_MODEL, PRETRAINED_WORDS, type RunSettings } from "./runOptions.js";
import type { SettingsOf, SettingTable } from "./setting.js";
import { TRAINING } from "./training.js";

/** MiB that a step may take where the number of images in a batch is to be found. */
export const BATCH_MEMORY = 4096;

type PreprocessingName = keyof typeof PREPROCESSINGS;
const PREPROCESSING_NAMES = Object.keys(PREPROCESSINGS) as PreprocessingName[];

const scaleFactor = number("a factor of at least 1, such as 1.5", (value) => value >= 1 && Number.isFinite(value));
const scaleRange = (factor: number): Pick<Augmentation, "scale"> => ({ scale: [1 / factor, factor] });

const PRETRAINED = {
  ...oneOf([...PRETRAINED_WORDS, ...listWeights()]),
  what: `${PRETRAINED_WORDS.join(", ")}, or the name of published weights`,
  remedy: (text: string) =>
    `${chooseFrom(text, listWeights(), "fcn weights list")}; or use ${PRETRAINED_WORDS.join(", ")}`,
};

/**
 * The settings that only a run has, because it reads folders and writes files: one row each, in the order of the help.
 */
export const RUN = {
  data: {
    flag: "--data <dir>",
    help: "a folder with images/ and masks/, or in another layout that `fcn data check` recognises, here or in a bucket (s3://)",
    isRequired: true,
    decides: "trainingImages",
  },
  model: {
    flag: "--model <name>",
    help: "the net, such as fcn8s-resnet50; not needed if --weights or the resumed run names it",
    fallbackText: DEFAULT_MODEL,
    reader: modelReader,
  },
  modelOptions: {
    flag: "--model-option <name=value>",
    help: "an option of the net, such as dropout=0.5; may be repeated",
    reader: assignments,
    shortcut: {
      flag: "--width <x>",
      help: "factor on the number of channels of the net",
      reader: mapped(positive, (widthMultiplier) => ({ widthMultiplier })),
    },
  },
  weights: { flag: "--weights <file>", help: "file or address of weights to start from, for these or other classes" },
  pretrained: {
    flag: "--pretrained [which]",
    help: "start from published weights for the net, fetched if need be: those that fcn weights list calls so; none starts from random ones",
    alone: "default",
    rule: PRETRAINED,
    fallbackText: "those on this machine, if there are any",
    decides: "weights",
  },
  prefix: {
    flag: "--prefix <text>",
    help: "with --weights: what precedes the names of the net in the file, such as student.",
    decides: false,
  },
  out: {
    flag: "--out <dir>",
    help: "folder for weights, checkpoint, metrics.csv and report.html",
    isRequired: true,
    decides: false,
  },
  resume: {
    flag: "--resume",
    help: "continue from the last checkpoint in --out; larger --steps or --epochs lengthen the run",
    decides: false,
  },
  overwrite: { flag: "--overwrite", help: "replace the run or the net that --out holds", decides: false },
  preprocessing: {
    fallbackText: "that of the weights or the data; otherwise caffe for weights with names from Caffe, or imagenet",
    flag: "--preprocessing <name>",
    help: `how images become numbers: ${PREPROCESSING_NAMES.join(", ")}`,
    reader: mapped(oneOf(PREPROCESSING_NAMES), (name) => PREPROCESSINGS[name]),
  },
  crop: {
    flag: "--crop <HxW>",
    help: "train on random windows of this size",
    reader: size,
    fallbackText: "whole images",
    decides: "augmentation",
  },
  augmentation: {
    flag: "--scale <x>",
    help: "scale images at random, up or down by at most this factor",
    reader: mapped(scaleFactor, scaleRange),
  },
  order: {
    fallback: "shuffle",
    flag: "--order <how>",
    help: "order of the images in an epoch: shuffle, sequential, or replacement (each is drawn from all)",
    reader: oneOf(sampleOrders()),
  },
  workers: {
    flag: "--workers <n>",
    help: "threads that decode images; 0 for none",
    reader: whole(0),
    fallbackText: "by the number of cores",
    decides: false,
  },
  adapter: { ...ADAPTER, decides: false },
  tune: { ...TUNE, decides: false },
  validateEvery: {
    rule: whole(1),
    fallbackText: "about one epoch",
    flag: "--validate-every <n>",
    help: "steps between validations",
  },
  preview: {
    fallbackText: "none",
    flag: "--preview <file>",
    help: "write a PNG that shows the first images as they are trained on, with their labels",
    decides: false,
  },
  patience: {
    rule: whole(1),
    fallbackText: "never",
    flag: "--patience <n>",
    help: "end the run after so many validations in a row without a better mean IU",
    decides: false,
  },
  stopAt: {
    rule: whole(1),
    fallbackText: "the last",
    flag: "--stop-at <n>",
    help: "end after this step of the run, with a checkpoint from which --resume goes on",
    decides: false,
  },
  checkpointEvery: {
    rule: whole(1),
    fallbackText: "as --validate-every",
    flag: "--checkpoint-every <n>",
    help: "steps between checkpoints",
    decides: false,
  },
  batchMemory: {
    rule: whole(1),
    fallback: BATCH_MEMORY,
    flag: "--batch-memory <mib>",
    help: "memory that a step may take on the device, with --batch auto",
    decides: false,
  },
  recipe: {
    flag: "--recipe <name>",
    help: `a published recipe: ${listRecipes().join(", ")}`,
    reader: oneOf(listRecipes()),
  },
  epochs: {
    rule: whole(1),
    fallback: 20,
    flag: "--epochs <n>",
    help: "passes over the training images, instead of --steps; a batch may span two passes, so that all batches are full and no image is left out",
    decides: "steps",
  },
} as const satisfies SettingsOf<RunSettings>;

const AUTO = "auto";

/** A number of images, or that it is to be found. */
const batchRule: FlagRule<number | typeof AUTO> = {
  what: `${TRAINING.batchSize.rule.what}, or ${AUTO}`,
  holds: (value) => value === AUTO || TRAINING.batchSize.rule.holds(value),
  parse: (text) => (text === AUTO ? AUTO : TRAINING.batchSize.rule.parse(text)),
};

/** Every row, in the order of the help. */
export const SETTINGS: SettingTable = { ...RUN, ...TRAINING, batchSize: { ...TRAINING.batchSize, rule: batchRule } };

/** What makes several runs of one. */
export const FOLDS = {
  folds: {
    rule: whole(2),
    flag: "--folds <k>",
    help: "cross-validate: divide the images of training and validation into k parts, and train k nets in --out/fold-1 to fold-k, each validated on a part of its own",
  },
} as const;
