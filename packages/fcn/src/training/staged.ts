import type { Device } from "@fcn/tensor";
import type { SegmentationSample } from "../data/sample.js";
import { type EvaluateOptions, type Evaluation, evaluate } from "../evaluation/evaluate.js";
import { create, type ModelOptions } from "../models/index.js";
import type { SegmentationNet } from "./model.js";
import { type TrainOptions, type TrainProgress, type TrainResult, train } from "./train.js";

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

export interface StageResult {
  readonly stage: Stage;
  readonly training: TrainResult;
  readonly validations: readonly { readonly step: number; readonly evaluation: Evaluation }[];
  /** Scores at the end of the stage. */
  readonly evaluation: Evaluation;
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
  const { numClasses } = options.modelOptions;
  const settings: EvaluateOptions = { ...options.evaluation, preprocessing: options.preprocessing, numClasses };
  const validations: { step: number; evaluation: Evaluation }[] = [];
  const due = validationSteps(stage.steps, options.validations);
  const training = await train({
    ...options,
    ...stage,
    model,
    numClasses,
    onProgress: async (progress) => {
      options.onProgress?.(stage, progress);
      if (progress.step < (due[0] ?? Number.POSITIVE_INFINITY)) return;
      due.shift();
      const evaluation = await evaluate(model, options.validation, settings);
      validations.push({ step: progress.step, evaluation });
      options.onValidation?.(stage, progress.step, evaluation);
    },
  });
  const evaluation = validations.at(-1)?.evaluation ?? (await evaluate(model, options.validation, settings));
  return { stage, training, validations, evaluation };
}

/** The steps at which to validate, the last step always among them. */
export function validationSteps(steps: number, count: number): number[] {
  const all = Array.from({ length: count }, (_, i) => Math.max(1, Math.round(((i + 1) * steps) / count)));
  return [...new Set(all)];
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
