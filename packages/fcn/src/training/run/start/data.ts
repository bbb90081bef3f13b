import { TensorError } from "@fcn/tensor";
import { check, type DataReport } from "../../../data/check/check.js";
import type { DataRemark } from "../../../data/files/remarks.js";
import { counted } from "../../../data/files/words.js";
import type { InspectOptions } from "../../../data/open/inspectAll.js";
import { open } from "../../../data/open/open.js";
import { withoutBad } from "../../../data/open/skipBad.js";
import { isSkippable } from "../../../data/open/skippable.js";
import type { OpenedData, SegmentationDataset } from "../../../data/samples/dataset.js";
import type { Preprocessing } from "../../../data/samples/preprocessing.js";
import type { SegmentationSample } from "../../../labels/sample.js";
import type { TrainRunOptions, TrainRunView } from "../../settings/runOptions.js";
import type { Configuration } from "../configuration.js";
import { unlessStopped } from "../stop.js";

/** The data of a run, opened and checked. */
export interface RunData {
  readonly opened: OpenedData;
  readonly train: SegmentationDataset;
  readonly validation: SegmentationDataset | undefined;
  /** The first training image. */
  readonly sample: SegmentationSample;
  /** Absent for samples in memory. */
  readonly report: DataReport | undefined;
}

/**
 * Opens and checks the data. Problems stop the run; warnings are shown. `saved` is the configuration of the checkpoint
 * that the run continues from.
 */
export async function prepareData(options: TrainRunOptions, saved: Configuration | undefined): Promise<RunData> {
  const { view, workers, signal } = options;
  const onProgress = (done: number, total: number): void => view?.checking?.(done, total);
  const shared = { ...(workers === undefined ? {} : { workers }), signal, onProgress };
  const opened = await unlessStopped(openData(options, saved, shared), signal);
  const { train, val } = opened.splits;
  if (train === undefined) {
    const splits = Object.keys(opened.splits).join(", ") || "none";
    throw noTraining(
      `${opened.root} has no split "train"; it has ${splits}`,
      "name the images to train on in splits/train.txt",
    );
  }
  const inFiles = Object.values(opened.splits).every(({ item }) => item !== undefined);
  const report = inFiles ? await unlessStopped(check(opened, shared), signal) : undefined;
  if (report) judge(report, view);
  const validation = val !== undefined && val.length > 0 ? val : undefined;
  const isTold = report?.remarks.some(({ code }) => code === "no-val");
  if (!validation && !isTold) {
    view?.line?.("there is no image to validate on: the scores are left out, and the last weights count as the best");
  }
  if (train.length === 0) {
    throw noTraining("there is no image to train on", "put images into images/ and masks of the same name into masks/");
  }
  return { opened, train, validation, sample: await train.load(0), report };
}

/** The pixel range is the one that the run began with, so that images added later do not change it. */
async function openData(
  { data, open: how, skipBad = how?.skipBad ?? false }: TrainRunOptions,
  saved: Configuration | undefined,
  shared: InspectOptions,
): Promise<OpenedData> {
  const { range } = (saved?.preprocessing ?? {}) as Partial<Preprocessing>;
  if (typeof data === "string") return open(data, { ...(range ? { range } : {}), ...how, ...shared, skipBad });
  return skipBad && data.leftOut === undefined ? withoutBad(data, shared) : data;
}

type Parts = Required<DataRemark>["parts"];

const MOST_LINES = 10;

function judge({ root, remarks }: DataReport, view: TrainRunView | undefined): void {
  for (const { code, text, commandText } of remarks) if (code === "pixel-range") view?.line?.(text, commandText);
  const told = remarks.filter(({ level }) => level === "warning").sort(summaryFirst);
  for (const { file, text, commandText = text } of told.slice(0, MOST_LINES)) {
    view?.line?.(`warning: ${file}: ${text}`, `warning: ${file}: ${commandText}`);
  }
  if (told.length > MOST_LINES)
    view?.line?.(`and ${counted(told.length - MOST_LINES, "more warning")}: fcn data check ${root}`);
  const problems = remarks.filter(({ level }) => level === "problem");
  const [first] = problems;
  if (first === undefined) return;
  const rest = problems.length > 1 ? `, and ${counted(problems.length - 1, "more problem")}` : "";
  const { problem, fix: own, commandFix = own }: Parts = first.parts ?? { problem: first.text, fix: "" };
  const canSkip = problems.every(({ code }) => isSkippable(code));
  const fix = (remedy: string, skip: string): string =>
    `${remedy === "" ? "" : `${remedy}; `}correct the images and masks; fcn data check ${root} lists all problems${canSkip ? `; or leave out what cannot be used: ${skip}` : ""}`;
  throw new TensorError({
    code: "data-problems",
    message: `train: ${first.file}: ${problem}${rest}`,
    fix: { code: fix(own, "skipBad: true"), command: fix(commandFix, "--skip-bad") },
  });
}

const summaryFirst = (a: DataRemark, b: DataRemark): number =>
  Number(b.code === "skipped") - Number(a.code === "skipped");

const noTraining = (problem: string, fix: string): TensorError =>
  new TensorError({ code: "missing-data", message: `train: ${problem}`, fix });
