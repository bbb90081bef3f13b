import type { Device } from "@fcn/tensor";
import type { SegmentationSample } from "../data/sample.js";
import { create, type ModelOptions } from "../models/index.js";
import type { EvaluateOptions, Evaluation } from "./evaluate.js";
import type { SegmentationNet } from "./model.js";
import type { TrainOptions, TrainProgress } from "./train.js";
import { trainValidated, type ValidatedTraining } from "./validated.js";

/** One net of a staged recipe. */
export interface Stage {
  readonly modelName: string;
  readonly learningRate: number;
  readonly steps: number;
}

type Shared = Omit<TrainOptions, "model" | "learningRate" | "steps" | "onProgress" | "numClasses">;

export interface StagedOptions extends Shared {
  readonly device: Device;
  /** Coarsest first; each starts from the weights of the one before. */
  readonly stages: readonly Stage[];
  readonly modelOptions: ModelOptions;
  readonly validation: readonly SegmentationSample[];
  readonly evaluation: Pick<EvaluateOptions, "batchSize" | "band">;
  /** Validations per stage, the last one at its end. */
  readonly validations: number;
  readonly onStageStart?: (stage: Stage, copied: readonly string[]) => void;
  readonly onProgress?: (stage: Stage, progress: TrainProgress) => void;
  readonly onValidation?: (stage: Stage, step: number, evaluation: Evaluation) => void;
  /** Awaited with the trained net before it is freed. */
  readonly onStageEnd?: (result: StageResult, model: SegmentationNet) => Promise<void>;
}

export interface StageResult extends ValidatedTraining {
  readonly stage: Stage;
}

/**
 * The staged recipe of the FCN paper (section 4.3): train the 32s net, start the 16s net from it, then the 8s net from that. What is new in
 * a finer net, the score layers of its skips, starts at zero, so each stage begins where the last one ended.
 */
export async function trainStaged(options: StagedOptions): Promise<StageResult[]> {
  const results: StageResult[] = [];
  let previous: SegmentationNet | undefined;
  for (const [index, stage] of options.stages.entries()) {
    const model = create(stage.modelName, options.device, options.modelOptions);
    const copied = previous ? transplant(previous, model) : [];
    previous?.dispose();
    previous = model;
    options.onStageStart?.(stage, copied);
    const result = await runStage(model, stage, { ...options, seed: (options.seed ?? 0) + index });
    results.push(result);
    await options.onStageEnd?.(result, model);
  }
  previous?.dispose();
  return results;
}

async function runStage(model: SegmentationNet, stage: Stage, options: StagedOptions): Promise<StageResult> {
  const result = await trainValidated({
    ...options,
    ...stage,
    model,
    numClasses: options.modelOptions.numClasses,
    onProgress: (progress) => options.onProgress?.(stage, progress),
    onValidation: (step, evaluation) => options.onValidation?.(stage, step, evaluation),
  });
  return { stage, ...result };
}

/** Copies every parameter and buffer that both nets have under one name with one shape; answers their names. */
export function transplant(from: SegmentationNet, to: SegmentationNet): string[] {
  const source = from.stateDict();
  const target = to.stateDict();
  const same = Object.keys(target).filter((name) => sameShape(source[name]?.shape, target[name]?.shape));
  to.loadStateDict(Object.fromEntries(same.map((name) => [name, source[name]])) as typeof source, { strict: false });
  return same;
}

function sameShape(a: readonly number[] | undefined, b: readonly number[] | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((size, i) => size === b[i]);
}
