import { classBalancings } from "../classWeights.js";
import { checkCriterion, criterionNames } from "../criteria.js";
import { checkHeadWeights, ownHeadLabels, ownHeads } from "../heads.js";
import { checkLossSampling } from "../lossSampling.js";
import type { MultiplierRules, Multipliers } from "../multipliers.js";
import { lossDivisor, lossNames } from "../normalization.js";
import { defaultDecay, defaultRate, optimizerNames } from "../optimizers.js";
import type { TrainingSettings } from "../options.js";
import { scheduleNames } from "../schedules.js";
import { factors, fromZero, oneOf, positive, type Reader, whole } from "./rules.js";
import type { SettingsOf } from "./setting.js";

const lossWeights = factors(
  "names, each with a weight above 0, such as out=1,aux=0.4",
  (weight) => weight > 0 && Number.isFinite(weight),
);
const rateFactors = factors(
  "names, each with a factor from 0 on, such as score*=10,backbone=0.1",
  (factor) => factor >= 0 && Number.isFinite(factor),
);

const layerRates: Reader<MultiplierRules> = {
  what: rateFactors.what,
  parse: (text, before) => {
    const rates = rateFactors.parse(text);
    if (rates === undefined) return undefined;
    const layers = Object.entries(rates).map(([name, lr]): [string, Multipliers] => [name, { lr }]);
    return { layers: { ...before?.layers, ...Object.fromEntries(layers) } };
  },
};

/** The settings that `train` and a run have in common: one row each, in the order of the help. */
export const TRAINING = {
  steps: {
    rule: whole(1),
    missing: "pass the number of steps",
    flags: [{ name: "--steps <n>", help: "training steps" }],
    decides: true,
  },
  batchSize: {
    rule: whole(1),
    fallback: () => 1,
    runFallback: () => 4,
    flags: [{ name: "--batch <n>", help: "pictures of a batch; no more than there are to train on" }],
    decides: true,
  },
  iterSize: {
    rule: whole(1),
    fallback: () => 1,
    flags: [{ name: "--iter-size <n>", help: "batches whose gradients are added up for one step" }],
    decides: true,
  },
  learningRate: {
    rule: positive,
    missing: "pass a learningRate, or a recipe",
    runFallback: ({ optimizer }) => defaultRate(optimizer),
    flags: [{ name: "--lr <x>", help: "learning rate of the first step" }],
    decides: true,
  },
  optimizer: {
    fallback: () => "sgd",
    flags: [{ name: "--optimizer <name>", help: optimizerNames().join(" or "), reader: oneOf(optimizerNames()) }],
    decides: true,
  },
  momentum: {
    rule: fromZero(1),
    fallback: () => 0.9,
    flags: [{ name: "--momentum <x>", help: "of sgd (default: the recipe's, else 0.9)" }],
    decides: true,
  },
  weightDecay: {
    rule: fromZero(),
    fallback: ({ optimizer }) => defaultDecay(optimizer),
    flags: [
      {
        name: "--weight-decay <x>",
        help: "of the optimizer (default: the recipe's, else 0.01 for adamw, 5e-4 for sgd)",
      },
    ],
    decides: true,
  },
  multipliers: {
    fallback: () => ({}),
    flags: [
      {
        name: "--lr-multiplier <name=factor,...>",
        help: "factors on the learning rate of parameters or of what lies below a module, by name with * for any characters: 'score*=10,backbone=0.1'; where several meet a parameter they multiply, those of the recipe too, but one of a name that the recipe has takes its place",
        reader: layerRates,
      },
    ],
    decides: true,
  },
  schedule: {
    fallback: () => "poly",
    flags: [
      {
        name: "--schedule <name>",
        help: `of the learning rate: ${scheduleNames().join(", ")}`,
        reader: oneOf(scheduleNames()),
      },
    ],
    decides: true,
  },
  warmUp: {
    rule: whole(0),
    fallback: () => 0,
    flags: [{ name: "--warm-up <n>", help: "steps over which the learning rate rises" }],
    decides: true,
  },
  criterion: {
    check: checkCriterion,
    fallback: () => "crossEntropy",
    flags: [
      {
        name: "--criterion <name>",
        help: `what is lowered: ${criterionNames().join(", ")}`,
        reader: oneOf(criterionNames()),
      },
    ],
    decides: true,
  },
  loss: {
    check: (loss) => void lossDivisor(loss, { images: 1, pixels: 1, labelled: 1 }),
    fallback: () => "mean",
    flags: [
      {
        name: "--loss <name>",
        help: `how pixels are added up: ${lossNames().join(", ")} (default: the recipe's, else mean)`,
        reader: oneOf(lossNames()),
      },
    ],
    decides: true,
  },
  heads: {
    check: checkHeadWeights,
    fallback: ({ model }) => ownHeads({ out: 1 }, model),
    flags: [
      {
        name: "--heads <name=weight,...>",
        help: "the heads of the net that are trained, each with the weight of its loss, such as out=1,aux=0.4 (default: the recipe's, else out, or all of a net without one)",
        reader: lossWeights,
      },
    ],
    decides: true,
  },
  headLabels: { fallback: ({ model }) => ownHeadLabels(model), decides: true },
  classWeights: {
    flags: [
      {
        name: "--class-weights <how>",
        help: "rare classes count more: inverse (by inverse frequency), or median (median frequency balancing)",
        reader: oneOf(classBalancings()),
      },
    ],
    decides: true,
  },
  lossSampling: { check: checkLossSampling, decides: true },
  trainable: { decides: true },
  freezeBatchNorm: {
    flags: [
      {
        name: "--freeze-batch-norm",
        help: "keep the statistics of batch norm, for pretrained weights and small batches",
      },
    ],
    decides: true,
  },
  clipNorm: {
    rule: positive,
    flags: [{ name: "--clip-norm <x>", help: "largest norm of the gradients of a step" }],
    decides: true,
  },
  mirror: { fallback: () => true, decides: "augmentation" },
  seed: {
    fallback: () => 0,
    flags: [
      {
        name: "--seed <n>",
        help: "fixes initial values, order and changes of the pictures (default: 0)",
        reader: whole(0),
      },
    ],
    decides: true,
  },
  readEvery: { rule: whole(1), fallback: () => 10, decides: true },
} as const satisfies SettingsOf<TrainingSettings>;
