import type { DeviceOptions } from "@fcn/tensor";
import type { BoundaryOptions } from "../evaluation/scoreboard.js";
import type { Colour } from "../labels/colours.js";
import type { ModelOptions } from "../models/index.js";
import type { Stage } from "../training/staged.js";
import { WATER } from "./earth/labels.js";

export const BACKBONES = ["small", "vgg16"] as const;
export type BackboneName = (typeof BACKBONES)[number];

/** Where the weights of a stage are written, below the folder of the run. */
export const weightsFile = ({ modelName }: Stage): string => `${modelName}.safetensors`;

export interface DemoOptions {
  readonly backbone: BackboneName;
  /** Training steps per stage. */
  readonly steps: number;
  /** Folder for everything the demo writes. It is made if missing. */
  readonly out: string;
  readonly seed: number;
  /** The kind of adapter, as `createDevice` has it. */
  readonly adapter?: DeviceOptions["adapter"];
}

/** How the nets of a backbone are trained. */
export interface DemoRecipe {
  readonly stages: readonly Stage[];
  readonly modelOptions: ModelOptions;
  readonly batchSize: number;
}

export const DEMO_COLOURS: readonly Colour[] = [
  [38, 98, 168],
  [112, 164, 86],
  [190, 146, 92],
];

/** Coast: water on one side, both kinds of land on the other. */
export const COAST = {
  radii: [4],
  side: (label: number) => (label === WATER ? 0 : 1),
} as const satisfies BoundaryOptions;

/** Rates fall from stage to stage as in the paper, because a finer net refines what the coarser one found. */
const LEARNING_RATES = { small: [0.1, 0.05, 0.03], vgg16: [0.02, 0.01, 0.005] } as const;

/**
 * The three stages of a backbone. The VGG16 nets keep their published layers at an eighth of the width, with batch norm
 * so that they train from scratch.
 */
export function demoRecipe({ backbone, steps, seed }: DemoOptions, numClasses: number): DemoRecipe {
  const stages = [32, 16, 8].map((stride, i) => ({
    modelName: `fcn${stride}s-${backbone}`,
    learningRate: LEARNING_RATES[backbone][i] as number,
    steps,
  }));
  if (backbone === "small") return { stages, modelOptions: { numClasses, seed }, batchSize: 8 };
  return { stages, modelOptions: { numClasses, seed, widthMultiplier: 0.125, batchNorm: true }, batchSize: 4 };
}
