import { rules } from "@fcn/tensor/internal";
import { deviceOf } from "../../models/segmentationNet.js";
import { factors, from, number, oneOf, orMaker, positive, type Reader, whole } from "../../options/rules.js";
import { PRECISION } from "../../prediction/inferenceOptions.js";
import { classBalancings } from "../loss/classWeights.js";
import { checkHeadNames, ownHeadLabels, ownHeads } from "../loss/heads.js";
import { lossNames, lossRule } from "../loss/loss.js";
import { lossSamplingRule } from "../loss/lossSampling.js";
import { reductionNames, reductionRule } from "../loss/reduction.js";
import { checkLayers, type MultiplierRules, type Multipliers } from "../optimizer/multipliers.js";
import { OPTIMIZERS, optimizerNames } from "../optimizer/optimizers.js";
import { scheduleNames } from "../optimizer/schedules.js";
import type { SettingsOf } from "./setting.js";
import type { TrainingSettings } from "./trainOptions.js";

const headWeights = factors("names, each with a weight above 0, such as out=1,aux=0.4", rules.positive);
const rateFactors = factors("names, each with a factor of at least 0, such as score*=10,backbone=0.1", rules.from(0));

const layerRates: Reader<MultiplierRules> = {
  what: rateFactors.what,
  parse: (text, before) => {
    const rates = rateFactors.parse(text);
    if (rates === undefined) return undefined;
    const layers = Object.entries(rates).map(([name, lr]): [string, Multipliers] => [name, { lr }]);
    return { layers: { ...before?.layers, ...Object.fromEntries(layers) } };
  },
};

/** What the help says of a default that depends on the optimiser. */
const ofEach = (of: "learningRate" | "weightDecay"): string =>
  optimizerNames()
    .map((name) => `${OPTIMIZERS[name][of]} for ${name}`)
    .join(", ");

/** The settings that `train` and a run share: one row each, in the order of the help. */
export const TRAINING = {
  steps: { rule: rules.required(whole(1)), flag: "--steps <n>", help: "training steps" },
  batchSize: {
    rule: whole(1),
    fallback: 1,
    runFallback: () => 4,
    fallbackText: "4",
    flag: "--batch <n>",
    help: "images per batch, at most as many as there are training images; auto tries how many fit into --batch-memory",
  },
  accumulationSteps: {
    rule: whole(1),
    fallback: 1,
    flag: "--accumulation-steps <n>",
    help: "number of batches whose gradients are added up for one step",
  },
  learningRate: {
    rule: rules.required(positive),
    runFallback: (name) => OPTIMIZERS[name].learningRate,
    fallbackText: ofEach("learningRate"),
    flag: "--lr <x>",
    help: "learning rate of the first step, or with oneCycle the highest",
  },
  optimizer: {
    rule: orMaker(oneOf(optimizerNames()), "an optimizer"),
    fallback: "sgd",
    fallbackText: "adamw, or sgd with a recipe",
    flag: "--optimizer <name>",
    help: `${optimizerNames().slice(0, -1).join(", ")} or ${optimizerNames().at(-1)}`,
    reader: oneOf(optimizerNames()),
  },
  momentum: { rule: from(0, 1), fallback: 0.9, flag: "--momentum <x>", help: "momentum of sgd or rmsprop" },
  weightDecay: {
    rule: from(0),
    fallbackOf: ({ optimizer }) => OPTIMIZERS[optimizer].weightDecay,
    fallbackText: ofEach("weightDecay"),
    flag: "--weight-decay <x>",
    help: "weight decay of the optimizer",
  },
  multipliers: {
    fits: (rules, model) => checkLayers(model, rules),
    fallback: {},
    flag: "--lr-multiplier <name=factor,...>",
    help: "factors on the learning rate of parameters, or of everything below a module, by name, with * for any characters: 'score*=10,backbone=0.1'; if several apply to a parameter, they are multiplied, including those of the recipe; one with a name that the recipe uses replaces the recipe's",
    reader: layerRates,
  },
  schedule: {
    rule: orMaker(oneOf(scheduleNames()), "an optim.lrScheduler"),
    fallback: "poly",
    flag: "--schedule <name>",
    help: `schedule of the learning rate: ${scheduleNames().join(", ")}`,
    reader: oneOf(scheduleNames()),
  },
  warmUp: {
    rule: whole(0),
    fallback: 0,
    flag: "--warm-up <n>",
    help: "number of steps over which the learning rate rises",
  },
  loss: {
    rule: lossRule,
    fallback: "crossEntropy",
    flag: "--loss <name>",
    help: `the loss to minimise: ${lossNames().join(", ")}`,
    reader: oneOf(lossNames()),
  },
  reduction: {
    rule: reductionRule,
    fallback: "mean",
    flag: "--reduction <name>",
    help: `how the losses of the pixels are combined: ${reductionNames().join(", ")}`,
  },
  heads: {
    rule: headWeights,
    fits: (heads, model) => checkHeadNames("heads", heads, model),
    fallbackOf: ({ model }) => ownHeads({ out: 1 }, model),
    fallbackText: "out, or all heads of a net without one",
    flag: "--heads <name=weight,...>",
    help: "the heads of the net to train, each with the weight of its loss, such as out=1,aux=0.4",
  },
  headLabels: {
    fits: (labels, model) => checkHeadNames("headLabels", labels, model),
    fallbackOf: ({ model }) => ownHeadLabels(model),
  },
  classWeights: {
    flag: "--class-weights <how>",
    help: "make rare classes count more: inverse (by inverse frequency) or median (median frequency balancing)",
    reader: oneOf(classBalancings()),
  },
  lossSampling: { rule: lossSamplingRule },
  trainable: {},
  freezeBatchNorm: {
    flag: "--freeze-batch-norm",
    help: "keep the statistics of batch norm, for pretrained weights and small batches",
  },
  clipNorm: { rule: positive, flag: "--clip-norm <x>", help: "clip the gradients of a step to this norm" },
  ema: {
    rule: number("a number between 0 and 1, such as 0.999", (decay) => decay > 0 && decay < 1),
    flag: "--ema <decay>",
    help: "validate and save a moving average of the weights, of which each step keeps this share, such as 0.999",
  },
  precision: {
    ...PRECISION,
    fallback: "float32",
    // Throws where the device has no such tensors.
    fits: (precision, model) => deviceOf(model).zeros([1], { dtype: precision }).dispose(),
    help: `${PRECISION.help}; the loss is scaled, parameters and validation stay float32`,
  },
  mirror: { rule: rules.boolean, fallback: true, decides: "augmentation" },
  seed: {
    fallback: 0,
    flag: "--seed <n>",
    help: "fixes the initial values, and the order and random changes of the images",
    reader: whole(0),
  },
  readEvery: { rule: whole(1), fallback: 10 },
} as const satisfies SettingsOf<TrainingSettings>;
