import type { TensorError } from "@fcn/tensor";
import { vocColours } from "../../labels/colours.js";
import { IMAGE_PATTERN } from "../decode/image.js";
import { fileError } from "../files/errors.js";
import { joinPath, kindOf, listFiles, readLines, withoutExtension } from "../files/files.js";
import type { DataRemark } from "../files/remarks.js";
import { counted } from "../files/words.js";
import { lineFinder } from "../folder/splits.js";
import { type Classes, fileDataset, type OpenedData, type SegmentationDataset } from "../samples/dataset.js";
import type { SampleItem } from "../samples/item.js";

/**
 * The names in the split lists (`*.txt`) of a folder by list name; in all of them, or in those of `wanted`. Each line
 * is resolved to the name of an image in `images`, because in some copies lines are paths, with the extension or with
 * the mask in a second column. A line that matches no image or several is kept, so it surfaces as a missing file.
 */
export async function readLists(
  folder: string,
  images: string,
  wanted?: readonly string[],
): Promise<Map<string, string[]>> {
  const files = (await listFiles(folder)).filter((file) => file.endsWith(".txt"));
  const lists = new Map<string, string[]>();
  for (const file of files.filter((name) => wanted?.includes(withoutExtension(name)) ?? true)) {
    lists.set(withoutExtension(file), await readLines(joinPath(folder, file)));
  }
  const isPlain = (line: string): boolean => !/[\s/\\]/.test(line) && !IMAGE_PATTERN.test(line);
  if ([...lists.values()].every((lines) => lines.every(isPlain))) return lists;
  const paths = (await listFiles(images, { recursive: true })).filter((file) => IMAGE_PATTERN.test(file));
  const names = paths.map(withoutExtension);
  const find = lineFinder(names, paths);
  const nameOf = (line: string): string => {
    const { places, contradicts } = find(line);
    const [place] = places.length === 1 && !contradicts ? places : [];
    return place === undefined ? line : (names[place] as string);
  };
  return new Map([...lists].map(([name, lines]) => [name, lines.map(nameOf)] as const));
}

/** Classes in the colours of PASCAL VOC. */
export const inVocColours = (classes: readonly string[]): Classes => ({ classes, palette: vocColours(classes.length) });

/**
 * Data sets from lists of names. The lists of published sets are not checked here: a missing file surfaces when loaded,
 * and in the check.
 */
export function listDatasets(
  lists: ReadonlyMap<string, readonly string[]>,
  classes: Classes,
  item: (name: string) => SampleItem,
): Record<string, SegmentationDataset> {
  const splits = [...lists].map(([name, names]) => [name, fileDataset(names.map(item), classes)] as const);
  return Object.fromEntries(splits);
}

/** The files and folders that do not exist below `root`. */
export async function absentParts(root: string, parts: readonly string[]): Promise<string[]> {
  const absent: string[] = [];
  for (const part of parts) if ((await kindOf(joinPath(root, part))) === undefined) absent.push(part);
  return absent;
}

export const hasAll = async (root: string, parts: readonly string[]): Promise<boolean> =>
  (await absentParts(root, parts)).length === 0;

/** Throws for a list that does not exist. */
export const missingList = (root: string, name: string): TensorError =>
  fileError("missing-data", root, `it has no list ${name}.txt`, "put the published split lists there");

/**
 * Training and measuring lists by preference. The published FCNs train on `trainval` and measure on `test`. A training
 * list is never paired with one that it contains.
 */
const PUBLISHED = [
  ["trainval", "test"],
  ["train", "val"],
  ["train", "test"],
] as const;

/**
 * {@link listDatasets} with "train" and "val" as the published FCNs used them, and a note that says which lists they
 * are. Throws if there are no two lists to train and to measure on.
 */
export function publishedSplits(
  root: string,
  lists: ReadonlyMap<string, readonly string[]>,
  classes: Classes,
  item: (name: string) => SampleItem,
): Pick<OpenedData, "splits" | "remarks"> {
  const isThere = (name: string): boolean => lists.has(name);
  const pair = PUBLISHED.find((names) => names.every(isThere));
  if (pair === undefined) throw missingList(root, isThere("train") ? "val" : "train");
  const splits = listDatasets(lists, classes, item);
  const [train, val] = pair.map((name) => splits[name] as SegmentationDataset) as [
    SegmentationDataset,
    SegmentationDataset,
  ];
  const text = `train is ${pair[0]}.txt (${counted(train.length, "image")}), val is ${pair[1]}.txt (${val.length})`;
  const remark: DataRemark = { level: "note", code: "published-lists", file: root, text };
  return { splits: { ...splits, train, val }, remarks: [remark] };
}
