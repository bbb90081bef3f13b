import { firstOf } from "@fcn/tensor/internal";
import { fileName, joinPath, withoutExtension } from "../files/files.js";
import { orOf } from "../files/findPath.js";
import type { DataRemark } from "../files/remarks.js";
import { counted } from "../files/words.js";
import { type Classes, fileDataset, type SegmentationDataset } from "../samples/dataset.js";
import type { SampleItem } from "../samples/item.js";
import { namedSplit, readSplitFiles, resolveSplit, type SplitOptions, seededSplit } from "./splits.js";

/** Where an item comes from. */
export interface Origin {
  /** Its folder or file, worded for messages: "in extra/". */
  readonly from: string;
  /** The split that the folder or file is named after, if any. */
  readonly split: string | undefined;
}

/**
 * Divides the items of a folder into splits: by its lists (`splits/*.txt`), otherwise by the splits that their origins
 * are named after, otherwise at random by the seed.
 *
 * @param origins one for each item; by default the first folder in its name (`train/a`, `val/b`)
 * @param lists the folder of the lists, relative to `root`
 */
export async function divide(
  root: string,
  items: readonly SampleItem[],
  classes: Classes,
  options: SplitOptions,
  origins: readonly Origin[] = items.map(({ name }) => folderOf(name)),
  lists = "splits",
): Promise<{ splits: Record<string, SegmentationDataset>; remarks: DataRemark[] }> {
  const remarks: DataRemark[] = [];
  const say: Say = (level, code, text, file = root) => remarks.push({ level, code, file, text });
  const places =
    (await fromFiles(joinPath(root, lists), items, say)) ??
    fromOrigins(origins, options, say) ??
    fromSeed(indicesOf(items), options, "no splits/train.txt and splits/val.txt:", say);
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

type Say = (level: DataRemark["level"], code: string, text: string, file?: string) => void;

const indicesOf = (list: readonly unknown[]): number[] => list.map((_, i) => i);

async function fromFiles(
  folder: string,
  items: readonly SampleItem[],
  say: Say,
): Promise<Map<string, number[]> | undefined> {
  const lists = await readSplitFiles(folder);
  if (lists === undefined) return undefined;
  const names = items.map(({ name }) => name);
  const images = items.map(({ image }) => image[0]?.file ?? "");
  const places = new Map(
    [...lists].map(([split, { file, lines }]) => {
      const { indices, absent, ambiguous, elsewhere } = resolveSplit(lines, names, images);
      for (const name of absent) {
        say("problem", "missing-sample", `it names "${name}", which has no labelled image here`, file);
      }
      for (const { line, candidates } of ambiguous) {
        const isOneFolder = new Set(candidates.map(withoutExtension)).size === 1;
        const more = isOneFolder ? "the ending" : "the folder";
        say(
          "problem",
          "ambiguous-name",
          `it names "${line}", which may be ${orOf(candidates)}: write ${more} too`,
          file,
        );
      }
      if (elsewhere.length > 0) {
        const examples = elsewhere.map(({ line, name }) => `"${line}" was taken to be ${name}`);
        const verb = elsewhere.length === 1 ? "names" : "name";
        const what = `${counted(elsewhere.length, "line")} ${verb} a folder that does not exist`;
        say(
          "warning",
          "other-folder",
          `${what}: ${firstOf(examples, 3)}; correct the list if these are other images`,
          file,
        );
      }
      return [split, indices] as const;
    }),
  );
  sayUnlisted(folder, names, new Set([...places.values()].flat()), say);
  return places;
}

function sayUnlisted(folder: string, names: readonly string[], listed: ReadonlySet<number>, say: Say): void {
  const left = names.filter((_, i) => !listed.has(i));
  if (left.length === 0) return;
  const what = `${counted(left.length, "labelled image")} ${left.length === 1 ? "is" : "are"}`;
  say(
    "warning",
    "left-out",
    `${what} left out, because no list in ${fileName(folder)}/ names ${left.length === 1 ? "it" : "them"}: ${firstOf(left, 3)}`,
  );
}

function folderOf(name: string): Origin {
  const [folder = "", ...below] = name.split("/");
  if (below.length === 0) return { from: "in no folder", split: undefined };
  return { from: `in ${folder}/`, split: namedSplit(folder) };
}

/**
 * "train", "val" and "test" by the names of folders or files. Items of a split for measuring never go to "train"; a
 * missing "val" is taken from "train". Undefined if nothing is named after a split, or if "train" is the only split
 * among other names, because it may be a class.
 */
function fromOrigins(
  origins: readonly Origin[],
  options: SplitOptions,
  say: Say,
): ReadonlyMap<string, readonly number[]> | undefined {
  const splits = new Map<string, number[]>();
  const rest: number[] = [];
  for (const [i, { split }] of origins.entries()) {
    if (split === undefined) rest.push(i);
    else if (splits.get(split)?.push(i) === undefined) splits.set(split, [i]);
  }
  const names = [...splits.keys()].sort().join(", ");
  if (names === "" || (names === "train" && rest.length > 0)) return undefined;
  if (rest.length > 0 && !splits.has("train")) {
    splits.set("train", rest);
    say("note", "named-splits", `images not named ${names} are used for training: ${counted(rest.length, "image")}`);
  } else {
    const left = new Map<string, number>();
    for (const i of rest) left.set((origins[i] as Origin).from, (left.get((origins[i] as Origin).from) ?? 0) + 1);
    for (const [from, count] of left) {
      const what = `${counted(count, "image")} ${from} ${count === 1 ? "is" : "are"}`;
      say("warning", "left-out", `${what} left out: the splits here are named ${names}`);
    }
  }
  const train = splits.get("train");
  if (train === undefined || splits.has("val")) return splits;
  return new Map([...splits, ...fromSeed(train, options, "nothing is named val, so train is", say)]);
}

function fromSeed(
  indices: readonly number[],
  options: SplitOptions,
  why: string,
  say: Say,
): Map<string, readonly number[]> {
  const { train, val } = seededSplit(indices.length, options);
  const text = `${why} divided at random by seed ${options.seed ?? 0} into ${train.length} to train and ${val.length} to validate`;
  say("note", "seeded-split", text);
  const at = (i: number): number => indices[i] as number;
  return new Map([
    ["train", train.map(at)],
    ["val", val.map(at)],
  ]);
}
