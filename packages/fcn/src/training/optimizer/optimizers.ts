import { optim } from "@fcn/tensor";
import type { LearningGroup } from "./parameterGroups.js";
import type { Optimizer } from "./schedules.js";

export type OptimizerName = "sgd" | "adamw" | "adam" | "rmsprop";

/** Makes an optimiser for groups of parameters, each with its own learning rate and weight decay. */
export type OptimizerMaker = (parameters: LearningGroup[], learningRate: number) => Optimizer;

/** Settings of an optimiser apart from its parameters. */
interface OptimizerSettings {
  readonly learningRate: number;
  /** For SGD and RMSprop. */
  readonly momentum: number;
  readonly weightDecay: number;
}

interface OptimizerKind {
  /** Default of a run, unless an option or a recipe gives one. */
  readonly learningRate: number;
  /** Default, unless an option or a recipe gives one. */
  readonly weightDecay: number;
  readonly hasMomentum: boolean;
  readonly make: (groups: LearningGroup[], settings: OptimizerSettings) => Optimizer;
}

export const OPTIMIZERS: Readonly<Record<OptimizerName, OptimizerKind>> = {
  sgd: {
    learningRate: 0.01,
    weightDecay: 5e-4,
    hasMomentum: true,
    make: (groups, { learningRate: lr, momentum, weightDecay }) => new optim.SGD(groups, { lr, momentum, weightDecay }),
  },
  adamw: {
    learningRate: 1e-3,
    weightDecay: 0.01,
    hasMomentum: false,
    make: (groups, { learningRate: lr, weightDecay }) => new optim.AdamW(groups, { lr, weightDecay }),
  },
  adam: {
    learningRate: 1e-3,
    weightDecay: 0,
    hasMomentum: false,
    make: (groups, { learningRate: lr, weightDecay }) => new optim.Adam(groups, { lr, weightDecay }),
  },
  rmsprop: {
    learningRate: 1e-3,
    weightDecay: 0,
    hasMomentum: true,
    make: (groups, { learningRate: lr, momentum, weightDecay }) =>
      new optim.RMSprop(groups, { lr, momentum, weightDecay }),
  },
};

export const optimizerNames = (): OptimizerName[] => Object.keys(OPTIMIZERS) as OptimizerName[];
