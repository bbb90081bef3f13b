import { invalidArgument } from "@fcn/tensor/internal";
import type { SampleOrder } from "../../data/loader/plan.js";
import type { TrainSettings } from "./recipeSettings.js";

/** How a published net was trained, as data. */
export interface Recipe {
  readonly summary: string;
  /** For a net trained in one stage, such as an FCN-32s. */
  readonly learningRate: number;
  /** For other backbones, by a part of the model's name. */
  readonly backboneRates?: Readonly<Record<string, number>>;
  /** For single models that were trained at a rate of their own, by their full name. */
  readonly modelRates?: Readonly<Record<string, number>>;
  /** Divides the rate once for the 16s net of a staged recipe and twice for the 8s net. Default 1. */
  readonly stageDivisor?: number;
  /** How a run draws the images of a pass. Default "shuffle". */
  readonly order?: SampleOrder;
  readonly settings: Omit<TrainSettings, "learningRate">;
}

/** The defaults of a recipe: one head, one batch per step, a constant rate and no augmentation. */
const PLAIN = {
  accumulationSteps: 1,
  multipliers: {},
  heads: { out: 1 },
  loss: "crossEntropy",
  schedule: "fixed",
  warmUp: 0,
  mirror: false,
} as const satisfies Partial<TrainSettings>;

/** What the published VGG nets share. The factors are those of all their convolutions. */
const CAFFE = { ...PLAIN, batchSize: 1, weightDecay: 5e-4, multipliers: { bias: { lr: 2, decay: 0 } } } as const;

const RECIPES = {
  "fcn-heavy": {
    summary:
      "Heavy learning of the published nets: one image a step, momentum 0.99, summed loss, no augmentation, drawn with replacement",
    learningRate: 1e-10,
    // fcn32s-vgg16-hha starts from two finished nets, so its rate is that of the next stage.
    modelRates: { "fcn32s-vgg16-hha": 1e-12, "fcn8s-vgg16-siftflow": 1e-12 },
    stageDivisor: 100,
    order: "replacement",
    settings: { ...CAFFE, reduction: "sum", momentum: 0.99 },
  },
  "fcn-cvpr15": {
    summary: "The paper's first form (section 4.3): 20 images a step, accumulated one by one, momentum 0.9, mean loss",
    learningRate: 1e-4,
    backboneRates: { alexnet: 1e-3, googlenet: 5e-5 },
    stageDivisor: 100,
    settings: { ...CAFFE, accumulationSteps: 20, reduction: "mean", momentum: 0.9 },
  },
  d2l: {
    summary: "The d2l chapter: plain SGD on the sum of the images' mean losses",
    learningRate: 1e-3,
    settings: { ...PLAIN, batchSize: 32, reduction: "imageMeans", momentum: 0, weightDecay: 1e-3 },
  },
  torchvision: {
    summary:
      "torchvision's segmentation reference: poly schedule, auxiliary head at half weight and ten times the rate",
    learningRate: 0.02,
    settings: {
      ...PLAIN,
      batchSize: 32,
      reduction: "mean",
      momentum: 0.9,
      weightDecay: 1e-4,
      multipliers: { layers: { aux_classifier: { lr: 10 } } },
      heads: { out: 1, aux: 0.5 },
      schedule: "poly",
      mirror: true,
    },
  },
} as const satisfies Readonly<Record<string, Recipe>>;

export type RecipeName = keyof typeof RECIPES;

/** The names that `recipe` takes. */
export const listRecipes = (): RecipeName[] => Object.keys(RECIPES) as RecipeName[];

/** Whether a recipe may give this setting. */
export const recipeGives = (setting: string): boolean =>
  Object.values<Recipe>(RECIPES).some((given) => setting in given || setting in given.settings);

/** A recipe by name. Throws `invalid-argument` for an unknown name. */
export function recipe(name: RecipeName): Recipe {
  if (Object.hasOwn(RECIPES, name)) return RECIPES[name];
  throw invalidArgument(
    `train: there is no recipe called ${JSON.stringify(name)}`,
    `use one of: ${listRecipes().join(", ")}`,
  );
}

/**
 * The learning rate that a recipe gives for a model, by the model's name: that of its backbone, divided by
 * `stageDivisor` once for a 16s net and twice for an 8s net. A net trained at once counts as one stage.
 */
export function recipeRate(chosen: Recipe, model = ""): number {
  const { learningRate, backboneRates = {}, modelRates = {}, stageDivisor = 1 } = chosen;
  if (Object.hasOwn(modelRates, model)) return modelRates[model] as number;
  const [, rate = learningRate] = Object.entries(backboneRates).find(([backbone]) => model.includes(backbone)) ?? [];
  const stride = /^fcn(\d+)s-(?!atonce)/.exec(model)?.[1];
  const stage = stride === undefined ? 0 : Math.max(0, Math.round(Math.log2(32 / Number(stride))));
  return rate / stageDivisor ** stage;
}
