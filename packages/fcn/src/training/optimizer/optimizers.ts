import { optim } from "@fcn/tensor";
import type { LearningGroup } from "./parameterGroups.js";
import type { Optimizer } from "./schedules.js";

export type OptimizerName = "sgd" | "adamw";

/** Makes an optimiser for parameters with rates and decays of their own. */
export type OptimizerMaker = (parameters: LearningGroup[], learningRate: number) => Optimizer;

/** What an optimiser needs beside its parameters and rate. */
export interface OptimizerSettings {
  /** Of SGD alone. */
  readonly momentum: number;
  readonly weightDecay: number;
}

interface OptimizerKind {
  /** Of a run where neither an option nor a recipe says otherwise. */
  readonly learningRate: number;
  /** Where neither an option nor a recipe says otherwise. */
  readonly weightDecay: number;
  readonly hasMomentum: boolean;
  readonly make: (settings: OptimizerSettings) => OptimizerMaker;
}

/** All optimisers, by name. */
export const OPTIMIZERS: Readonly<Record<OptimizerName, OptimizerKind>> = {
  sgd: {
    learningRate: 0.01,
    weightDecay: 5e-4,
    hasMomentum: true,
    make:
      ({ momentum, weightDecay }) =>
      (groups, lr) =>
        new optim.SGD(groups, { lr, momentum, weightDecay }),
  },
  adamw: {
    learningRate: 1e-3,
    weightDecay: 0.01,
    hasMomentum: false,
    make:
      ({ weightDecay }) =>
      (groups, lr) =>
        new optim.AdamW(groups, { lr, weightDecay }),
  },
};

export const optimizerNames = (): OptimizerName[] => Object.keys(OPTIMIZERS) as OptimizerName[];
