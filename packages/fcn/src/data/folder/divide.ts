import { type Classes, type DataRemark, fileDataset, type SegmentationDataset } from "../dataset.js";
import { joinPath } from "../files.js";
import type { SampleItem } from "../item.js";
import { readSplitFiles, resolveSplit, type SplitOptions, seededSplit, splitName } from "./splits.js";

/**
 * Divides the items of a folder: by `splits/*.txt`; else by the folder that their names begin with, where all begin with the name of a split
 * (`train/a`, `val/b`); else at random by the seed.
 */
export async function divide(
  root: string,
  items: readonly SampleItem[],
  classes: Classes,
  options: SplitOptions,
): Promise<{ splits: Record<string, SegmentationDataset>; remarks: DataRemark[] }> {
  const remarks: DataRemark[] = [];
  const places =
    (await fromFiles(root, items, remarks)) ?? fromFolders(items) ?? fromSeed(root, items, options, remarks);
  const splits = [...places].map(([name, indices]) => {
    return [
      name,
      fileDataset(
        indices.map((i) => items[i] as SampleItem),
        classes,
      ),
    ] as const;
  });
  return { splits: Object.fromEntries(splits), remarks };
}

async function fromFiles(
  root: string,
  items: readonly SampleItem[],
  remarks: DataRemark[],
): Promise<Map<string, number[]> | undefined> {
  const lists = await readSplitFiles(joinPath(root, "splits"));
  if (lists === undefined) return undefined;
  const names = items.map(({ name }) => name);
  return new Map(
    [...lists].map(([split, { file, lines }]) => {
      const { indices, absent } = resolveSplit(lines, names);
      for (const name of absent) {
        const text = `it names "${name}", which has no labelled picture here`;
        remarks.push({ level: "problem", code: "missing-sample", file, text });
      }
      return [split, indices] as const;
    }),
  );
}

const SPLITS = ["train", "val", "test"];

function fromFolders(items: readonly SampleItem[]): Map<string, number[]> | undefined {
  const splits = new Map<string, number[]>();
  for (const [i, { name }] of items.entries()) {
    const split = splitName(name.split("/")[0] as string);
    if (!name.includes("/") || !SPLITS.includes(split)) return undefined;
    splits.set(split, [...(splits.get(split) ?? []), i]);
  }
  return splits.has("train") && splits.size > 1 ? splits : undefined;
}

function fromSeed(
  root: string,
  items: readonly SampleItem[],
  options: SplitOptions,
  remarks: DataRemark[],
): Map<string, number[]> {
  const { train, val } = seededSplit(items.length, options);
  const text = `no splits/train.txt and splits/val.txt: divided at random by seed ${options.seed ?? 0} into ${train.length} to train and ${val.length} to validate`;
  remarks.push({ level: "note", code: "seeded-split", file: root, text });
  return new Map([
    ["train", train],
    ["val", val],
  ]);
}
