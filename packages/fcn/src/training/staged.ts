import type { Device } from "@fcn/tensor";
import type { EvaluateOptions, Evaluation } from "../evaluation/evaluate.js";
import type { SegmentationSample } from "../labels/sample.js";
import { create, type ModelOptions } from "../models/index.js";
import type { SegmentationNet } from "../models/segmentationNet.js";
import { transplant } from "../surgery/transplant.js";
import type { TrainOptions, TrainProgress } from "./settings/trainOptions.js";
import { trainValidated, type ValidatedTraining } from "./validated.js";

/** One net of a staged recipe. */
export interface Stage {
  readonly modelName: string;
  readonly steps: number;
  /** Default: the recipe's rate for this model, so that a recipe is then required. */
  readonly learningRate?: number;
}

/** Options of {@link trainStaged}. */
export interface StagedOptions
  extends Omit<TrainOptions, "model" | "learningRate" | "steps" | "onProgress" | "numClasses"> {
  readonly device: Device;
  /** Coarsest first. Each starts from the weights of the one before. */
  readonly stages: readonly Stage[];
  readonly modelOptions: ModelOptions;
  readonly validation: readonly SegmentationSample[];
  readonly evaluation: Pick<EvaluateOptions, "batchSize" | "boundary">;
  /** Validations per stage, the last of them at its end. */
  readonly validations: number;
  readonly onStageStart?: (stage: Stage, copied: readonly string[]) => void;
  readonly onProgress?: (stage: Stage, progress: TrainProgress) => void;
  readonly onValidation?: (stage: Stage, step: number, evaluation: Evaluation) => void;
  /** Awaited with the trained net before the net is freed. */
  readonly onStageEnd?: (result: StageResult, model: SegmentationNet) => Promise<void>;
}

/** The result of one stage. */
export interface StageResult extends ValidatedTraining {
  readonly stage: Stage;
}

/**
 * The stages of the paper on a backbone: `fcn32s-`, `fcn16s-` and `fcn8s-` followed by the backbone's name, each of
 * `steps` steps.
 */
export const publishedStages = (backbone: string, steps: number): Stage[] =>
  [32, 16, 8].map((stride) => ({ modelName: `fcn${stride}s-${backbone}`, steps }));

/**
 * The staged training of the FCN paper (section 4.3): train the 32s net, start the 16s net from it, then the 8s net
 * from that. The new layers of a finer net, the score layers of its skips, start at zero, so each stage begins where
 * the last one ended. As published, at rates of 1e-10, 1e-12 and 1e-14:
 *
 * `trainStaged({ recipe: "fcn-heavy", stages: publishedStages("vgg16", 100_000), ... })`
 */
export async function trainStaged(options: StagedOptions): Promise<StageResult[]> {
  const results: StageResult[] = [];
  let previous: SegmentationNet | undefined;
  for (const [index, stage] of options.stages.entries()) {
    const model = create(stage.modelName, options.device, options.modelOptions);
    const { copied } = previous ? transplant(previous, model) : { copied: [] };
    previous?.dispose();
    previous = model;
    options.onStageStart?.(stage, copied);
    const trained = await trainValidated({
      ...options,
      ...stage,
      model,
      seed: (options.seed ?? 0) + index,
      numClasses: options.modelOptions.numClasses,
      onProgress: (progress) => options.onProgress?.(stage, progress),
      onValidation: (step, evaluation) => options.onValidation?.(stage, step, evaluation),
    });
    const result = { stage, ...trained };
    results.push(result);
    await options.onStageEnd?.(result, model);
  }
  previous?.dispose();
  return results;
}
