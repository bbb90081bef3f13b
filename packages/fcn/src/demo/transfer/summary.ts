import { join } from "node:path";
import type { Device } from "@fcn/tensor";
import type { CompositeSplit } from "../../data/composite/split.js";
import type { SegmentationSample } from "../../data/sample.js";
import type { Evaluation } from "../../evaluation/evaluate.js";
import { percent, type ScoreRow, type Shares } from "../table.js";
import { BATCH_SIZE, MODEL, SAMPLE_SIZE, type StartName, type TransferOptions } from "./recipe.js";
import type { StartResult } from "./run.js";

/** What a run found, as `--json` prints it. */
export interface TransferSummary {
  readonly adapter: { readonly description: string; readonly software: boolean };
  readonly model: string;
  readonly steps: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly size: number;
  readonly classes: readonly string[];
  readonly samples: { readonly train: number; readonly validation: number };
  readonly stamps: { readonly train: number; readonly validation: number };
  readonly photographs: { readonly train: number; readonly validation: number };
  /** Background everywhere. */
  readonly baseline: Shares;
  readonly random: StartSummary;
  readonly pretrained: StartSummary;
  readonly peakBytes: number;
  readonly seconds: number;
  readonly files: readonly string[];
}

export interface StartSummary extends Shares {
  readonly learningRate: number;
  readonly seconds: number;
  readonly loss: number;
  /** Mean IU at every rate that was tried. */
  readonly tried: readonly { readonly learningRate: number; readonly meanIU: number }[];
}

interface SummaryParts {
  readonly options: TransferOptions;
  readonly device: Device;
  readonly classes: readonly string[];
  readonly train: readonly SegmentationSample[];
  readonly validation: readonly SegmentationSample[];
  readonly split: CompositeSplit;
  readonly starts: readonly StartResult[];
  readonly baseline: Evaluation;
  readonly seconds: number;
}

export function summarise(parts: SummaryParts): TransferSummary {
  const { options, device, split, starts } = parts;
  const { description, software } = device.info;
  const files = ["random.safetensors", "pretrained.safetensors", "panels.png", "metrics.csv", "report.html"];
  return {
    adapter: { description: description || device.info.device, software },
    model: MODEL,
    steps: options.steps,
    batchSize: BATCH_SIZE,
    seed: options.seed,
    size: SAMPLE_SIZE,
    classes: parts.classes,
    samples: { train: parts.train.length, validation: parts.validation.length },
    stamps: { train: split.train.cutouts.length, validation: split.validation.cutouts.length },
    photographs: { train: split.train.backgrounds.length, validation: split.validation.backgrounds.length },
    baseline: sharesOf(parts.baseline),
    random: startSummary(starts, "random"),
    pretrained: startSummary(starts, "pretrained"),
    peakBytes: device.memory().peakBytes,
    seconds: parts.seconds,
    files: files.map((file) => join(options.out, file)),
  };
}

function startSummary(starts: readonly StartResult[], name: StartName): StartSummary {
  const { best, attempts } = starts.find((start) => start.best.start === name) as StartResult;
  return {
    learningRate: best.learningRate,
    seconds: best.training.seconds,
    loss: best.training.losses.at(-1)?.loss ?? Number.NaN,
    tried: attempts.map(({ learningRate, evaluation }) => ({ learningRate, meanIU: evaluation.meanIU })),
    ...sharesOf(best.evaluation),
  };
}

function sharesOf({ pixelAccuracy, meanAccuracy, meanIU, frequencyWeightedIU, perClassIU }: Evaluation): Shares {
  return { pixelAccuracy, meanAccuracy, meanIU, frequencyWeightedIU, perClassIU };
}

/** The rows of the score table, the baseline first. */
export function scoreRows({ baseline, random, pretrained }: TransferSummary): ScoreRow[] {
  return [
    { name: "background everywhere", scores: baseline },
    { name: "from random weights", scores: random },
    { name: "from pretrained weights", scores: pretrained },
  ];
}

/** What the run says about transfer. */
export function transferFinding({
  baseline,
  random,
  pretrained,
}: Pick<TransferSummary, "baseline" | "random" | "pretrained">): string {
  const figures = [pretrained, random, baseline].map(({ meanIU }) => `${percent(meanIU)} %`);
  const claim =
    pretrained.meanIU > random.meanIU
      ? "Pretrained weights gave the better net"
      : "Pretrained weights did not help in this run";
  return `${claim}: mean IU ${figures[0]} from pretrained weights, ${figures[1]} from random ones, ${figures[2]} for background everywhere.`;
}
