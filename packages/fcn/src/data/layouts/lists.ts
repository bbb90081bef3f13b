import { IMAGE_PATTERN } from "../decode/image.js";
import { fileError } from "../files/errors.js";
import { joinPath, kindOf, listFiles, readLines, withoutExtension } from "../files/files.js";
import type { DataRemark } from "../files/remarks.js";
import { counted } from "../files/words.js";
import { lineFinder } from "../folder/splits.js";
import { type Classes, fileDataset, type SegmentationDataset } from "../samples/dataset.js";
import type { SampleItem } from "../samples/item.js";

/** The names in each split list (`*.txt`) of a folder, by list name. */
export async function readLists(folder: string): Promise<Map<string, string[]>> {
  const files = (await listFiles(folder)).filter((file) => file.endsWith(".txt"));
  const lists = new Map<string, string[]>();
  for (const file of files) lists.set(withoutExtension(file), await readLines(joinPath(folder, file)));
  return lists;
}

/**
 * Resolves each line of the lists to the name of an image in `folder`, because in some copies lines are paths, with the
 * extension or with the mask in a second column. A line that matches no image or several is kept, so it surfaces as a
 * missing file.
 */
export async function namedLists(lists: ReadonlyMap<string, string[]>, folder: string): Promise<Map<string, string[]>> {
  const isPlain = (line: string): boolean => !/[\s/\\]/.test(line) && !IMAGE_PATTERN.test(line);
  if ([...lists.values()].every((lines) => lines.every(isPlain))) return new Map(lists);
  const images = (await listFiles(folder, { recursive: true })).filter((file) => IMAGE_PATTERN.test(file));
  const names = images.map(withoutExtension);
  const find = lineFinder(names, images);
  const nameOf = (line: string): string => {
    const { places, contradicts } = find(line);
    const [place] = places.length === 1 && !contradicts ? places : [];
    return place === undefined ? line : (names[place] as string);
  };
  return new Map([...lists].map(([name, lines]) => [name, lines.map(nameOf)] as const));
}

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

export async function hasAll(root: string, paths: readonly string[]): Promise<boolean> {
  for (const path of paths) if ((await kindOf(joinPath(root, path))) === undefined) return false;
  return true;
}

/** The first of these lists that exists. Throws if there is none. */
export function firstList(
  root: string,
  lists: ReadonlyMap<string, readonly string[]>,
  names: readonly string[],
): readonly string[] {
  const name = names.find((candidate) => lists.has(candidate));
  if (name !== undefined) return lists.get(name) as readonly string[];
  const fix = "put the published split lists there";
  throw fileError("missing-data", root, `it has no list ${names.map((n) => `${n}.txt`).join(" or ")}`, fix);
}

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
 * Adds "train" and "val" as the published FCNs used them, and a note that says which lists they are. Throws if there
 * are no two lists to train and to measure on.
 */
export function publishedLists(
  root: string,
  lists: ReadonlyMap<string, readonly string[]>,
): { lists: Map<string, readonly string[]>; remark: DataRemark } {
  const [train, val] = PUBLISHED.find((names) => names.every((name) => lists.has(name))) ?? ["train", "val"];
  const own = { train: firstList(root, lists, [train]), val: firstList(root, lists, [val]) };
  const text = `train is ${train}.txt (${counted(own.train.length, "image")}), val is ${val}.txt (${own.val.length})`;
  const remark: DataRemark = { level: "note", code: "published-lists", file: root, text };
  return { lists: new Map([...lists, ...Object.entries(own)]), remark };
}
