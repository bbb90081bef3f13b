import { TensorError } from "@fcn/tensor";
import { check, type DataReport } from "../../data/check/check.js";
import type { OpenedData, SegmentationDataset } from "../../data/dataset.js";
import { open } from "../../data/open.js";
import type { Preprocessing } from "../../data/preprocessing.js";
import { counted } from "../../data/words.js";
import type { Configuration } from "./configuration.js";
import type { TrainRunOptions } from "./options.js";
import { throwIfStopped, unlessStopped } from "./stop.js";

/** The data of a run, opened and checked. */
export interface RunData {
  readonly opened: OpenedData;
  readonly train: SegmentationDataset;
  readonly validation: SegmentationDataset | undefined;
  /** Absent for samples in memory. */
  readonly report: DataReport | undefined;
}

/** The options with the range of pictures with which a run was begun: pictures that came later do not change it. */
export function withSavedRange(options: TrainRunOptions, saved: Configuration | undefined): TrainRunOptions {
  const { range } = (saved?.preprocessing ?? {}) as Partial<Preprocessing>;
  return range === undefined ? options : { ...options, open: { range, ...options.open } };
}

/** Opens and checks the data: problems stop the run, warnings are told. */
export async function prepareData({ data, view, workers, signal, ...options }: TrainRunOptions): Promise<RunData> {
  const shared = { ...(workers === undefined ? {} : { workers }), signal };
  const opened =
    typeof data === "string" ? await unlessStopped(open(data, { ...options.open, ...shared }), signal) : data;
  throwIfStopped(signal);
  const { train, val } = opened.splits;
  if (train === undefined) throw noTraining(opened);
  const inFiles = Object.values(opened.splits).every(({ item }) => item !== undefined);
  const checking = { ...shared, onProgress: (done: number, total: number) => view?.checking?.(done, total) };
  const report = inFiles ? await unlessStopped(check(opened, checking), signal) : undefined;
  if (report) judge(report, (text) => view?.line?.(text));
  const validation = val !== undefined && val.length > 0 ? val : undefined;
  const isTold = report?.remarks.some(({ code }) => code === "no-val");
  if (!validation && !isTold) {
    view?.line?.("there is no picture to validate on: the scores are left out, and the last weights count as the best");
  }
  return { opened, train, validation, report };
}

const MOST_LINES = 10;

function judge({ root, remarks }: DataReport, line: (text: string) => void): void {
  const told = remarks.filter(({ level }) => level === "warning");
  for (const { code, text } of remarks) if (code === "pixel-range") line(text);
  for (const { file, text } of told.slice(0, MOST_LINES)) line(`warning: ${file}: ${text}`);
  if (told.length > MOST_LINES)
    line(`and ${counted(told.length - MOST_LINES, "more warning")}: fcn data check ${root}`);
  const problems = remarks.filter(({ level }) => level === "problem");
  const [first] = problems;
  if (first === undefined) return;
  const rest = problems.length > 1 ? `, and ${counted(problems.length - 1, "more problem")}` : "";
  throw new TensorError({
    code: "data-problems",
    message: `train: ${first.file}: ${first.text}${rest}`,
    fix: `mend the pictures and masks; fcn data check ${root} lists all problems`,
  });
}

function noTraining({ root, splits }: OpenedData): TensorError {
  return new TensorError({
    code: "missing-data",
    message: `train: ${root} has no split "train"; it has ${Object.keys(splits).join(", ") || "none"}`,
    fix: "name the pictures to train on in splits/train.txt",
  });
}
