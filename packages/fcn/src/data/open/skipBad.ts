import type { TensorError } from "@fcn/tensor";
import { fileError } from "../files/errors.js";
import { type DataRemark, withFix } from "../files/remarks.js";
import { counted } from "../files/words.js";
import { fileDataset, type LeftOut, type OpenedData, type SegmentationDataset } from "../samples/dataset.js";
import type { SampleItem } from "../samples/item.js";
import { type InspectOptions, inspectAll, keysOf } from "./inspectAll.js";
import { isKept, isSkippable } from "./skippable.js";

/** If more than this share of the images is left out, that deserves a warning of its own. */
const MANY = 0.5;

/**
 * Removes the images that cannot be used: those whose files are unreadable, differ in size, or contain labels without a
 * class. No other image changes its split. Removed images are listed in `leftOut`, and their problems become warnings.
 * Throws if a split becomes empty.
 */
export async function withoutBad(opened: OpenedData, options: InspectOptions = {}): Promise<OpenedData> {
  // Samples in memory were checked when the data set was made.
  if (Object.values(opened.splits).some(({ item }) => item === undefined)) return { ...opened, leftOut: [] };
  const marked = mapSplits(opened, (dataset) => {
    const items = itemsOf(dataset).map((item): SampleItem => ({ ...item, skipBad: true }));
    return fileDataset(items, dataset);
  });
  const inspections = await inspectAll(marked, options);
  const isBad = ({ level, code }: DataRemark): boolean => level === "problem" && !isKept(code);
  const shared = sharedImages(opened.remarks);
  const leftOut: LeftOut[] = [];
  const counts: string[] = [];
  const sound = mapSplits(marked, (dataset, split) => {
    const keys = keysOf(dataset);
    const judged = itemsOf(dataset).map((item, i) => {
      const { name = keys[i] as string, remarks = [] } = inspections.get(keys[i] as string) ?? {};
      return { item, name, problem: remarks.find(isBad) ?? shared.get(item.image[0]?.file ?? "") };
    });
    const bad = judged.flatMap(({ name, problem }) => (problem ? [{ ...problem, name }] : []));
    if (bad.length === 0) return dataset;
    if (bad.length === keys.length) throw nothingLeft(opened.root, split, bad);
    leftOut.push(...bad.map(({ level: _, files: __, ...about }) => ({ split, ...about })));
    const loud = bad.length > MANY * keys.length ? " (MORE THAN HALF)" : "";
    counts.push(`${split} ${bad.length} of ${keys.length}${loud}`);
    const kept = judged.filter(({ problem }) => problem === undefined);
    return fileDataset(
      kept.map(({ item }) => item),
      dataset,
    );
  });
  const told = new Set(leftOut.map(({ file, text }) => `${file} ${text}`));
  const untold = opened.remarks.filter(({ file, text }) => !told.has(`${file} ${text}`));
  return {
    ...sound,
    leftOut,
    remarks: [...summary(opened.root, counts), ...linesOf(leftOut), ...untold.map(soften)],
  };
}

/** The remark about each image that is listed more than once, each time with only part of its labels. */
const sharedImages = (remarks: readonly DataRemark[]): ReadonlyMap<string, DataRemark> =>
  new Map(
    remarks
      .filter(({ code }) => code === "same-image")
      .flatMap((remark) => (remark.files ?? []).map((file) => [file, remark] as const)),
  );

/** Turns a problem that does not prevent the data from being used into a warning. */
export const soften = (remark: DataRemark): DataRemark =>
  remark.level === "problem" && isSkippable(remark.code) ? { ...remark, level: "warning" } : remark;

function mapSplits(
  opened: OpenedData,
  change: (dataset: SegmentationDataset, split: string) => SegmentationDataset,
): OpenedData {
  const splits = Object.entries(opened.splits).map(([split, dataset]) => [split, change(dataset, split)] as const);
  return { ...opened, splits: Object.fromEntries(splits) };
}

const itemsOf = ({ length, item }: SegmentationDataset): SampleItem[] =>
  item ? Array.from({ length }, (_, i) => item(i)) : [];

function summary(root: string, counts: readonly string[]): DataRemark[] {
  if (counts.length === 0) return [];
  const text = `images that cannot be used are left out: ${counts.join(", ")}`;
  return [{ level: "warning", code: "skipped", file: root, text }];
}

/** An image of two splits gets one line. */
function linesOf(leftOut: readonly LeftOut[]): DataRemark[] {
  const byFile = new Map(leftOut.map((entry) => [`${entry.name} ${entry.file}`, entry]));
  return [...byFile.values()].map(({ name, file, code, text, parts }) => {
    const said = withFix(`${name} is left out: ${parts?.problem ?? text}`, parts?.fix, parts?.commandFix);
    return { level: "warning", code, file, ...said };
  });
}

function nothingLeft(root: string, split: string, bad: readonly DataRemark[]): TensorError {
  const { file, text } = bad[0] as DataRemark;
  const example = `for example ${file}: ${text}`;
  const problem = `none of the ${counted(bad.length, "image")} of "${split}" can be used, which would leave it empty`;
  return fileError("missing-data", root, `${problem}: ${example}`, "repair the images and masks");
}
