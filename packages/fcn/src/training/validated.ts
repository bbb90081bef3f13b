import { type EvaluateOptions, type Evaluation, evaluate } from "../evaluation/evaluate.js";
import type { SegmentationSample } from "../labels/sample.js";
import { byAverage } from "./optimizer/average.js";
import type { TrainOptions, TrainProgress } from "./settings/trainOptions.js";
import { type TrainResult, train } from "./train.js";

/** Options of {@link trainValidated}. */
export interface ValidatedTrainOptions extends Omit<TrainOptions, "onProgress"> {
  readonly validation: readonly SegmentationSample[];
  readonly evaluation?: Pick<EvaluateOptions, "batchSize" | "boundary">;
  /** Number of validations, the last one at the end. */
  readonly validations: number;
  readonly onProgress?: (progress: TrainProgress) => void;
  readonly onValidation?: (step: number, evaluation: Evaluation) => void;
}

/** The result of {@link trainValidated}. */
export interface ValidatedTraining {
  readonly training: TrainResult;
  readonly validations: readonly { readonly step: number; readonly evaluation: Evaluation }[];
  /** Scores at the end. */
  readonly evaluation: Evaluation;
}

/** Trains as {@link train} does, and scores the net on held-back samples at readings of the loss and at the end. */
export async function trainValidated(options: ValidatedTrainOptions): Promise<ValidatedTraining> {
  const { model, validation, preprocessing, numClasses } = options;
  const settings: EvaluateOptions = { ...options.evaluation, preprocessing, numClasses };
  const validations: { step: number; evaluation: Evaluation }[] = [];
  const due = validationSteps(options.steps, options.validations);
  const training = await train({
    ...options,
    onProgress: async (progress, _, __, average) => {
      options.onProgress?.(progress);
      if (progress.step < (due[0] ?? Number.POSITIVE_INFINITY)) return;
      due.shift();
      const evaluation = await byAverage(average, () => evaluate(model, validation, settings));
      validations.push({ step: progress.step, evaluation });
      options.onValidation?.(progress.step, evaluation);
    },
  });
  const evaluation = validations.at(-1)?.evaluation ?? (await evaluate(model, validation, settings));
  return { training, validations, evaluation };
}

/** The steps at which to validate, always including the last. */
function validationSteps(steps: number, count: number): number[] {
  const all = Array.from({ length: count }, (_, i) => Math.max(1, Math.round(((i + 1) * steps) / count)));
  return [...new Set(all)];
}
