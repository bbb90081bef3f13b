import type { OptionTable } from "../../options/option.js";
import { whole } from "../../options/rules.js";
import type { LabelRule } from "../decode/rule.js";
import { damagedFile, fileError } from "../files/errors.js";
import { joinPath, kindOf, readLines } from "../files/files.js";
import { CONTEXT_33, CONTEXT_59 } from "../published/classNames.js";
import { CONTEXT_MEAN } from "../published/means.js";
import type { SampleItem } from "../samples/item.js";
import type { Layout, OpenedLayout } from "./layout.js";
import { hasAll, inVocColours, listDatasets, readLists } from "./lists.js";

export interface ContextOptions {
  /**
   * Number of classes besides background, whose names are read from `NN_labels.txt` in the folder. Default 59; the 59
   * and the 33 classes are known without the file.
   */
  readonly contextClasses?: number;
  /** The VOC2010 folder that holds the images. Default: `VOC2010` or `VOCdevkit/VOC2010` in or beside the folder. */
  readonly voc?: string;
}

/** Class names of the task -> names in the label files. */
const RENAMED: Readonly<Record<string, string>> = {
  diningtable: "table",
  bedcloth: "bedclothes",
  clothes: "cloth",
};

const OPTIONS = {
  voc: { flag: "--voc <dir>", help: "for PASCAL-Context: the folder of VOC2010", decides: false },
  contextClasses: {
    rule: whole(1),
    fallback: CONTEXT_59.length,
    flag: "--context-classes <n>",
    help: "for PASCAL-Context: 59 or 33 classes, not counting the background",
    decides: "classes",
  },
} as const satisfies OptionTable<ContextOptions>;

const PARTS = ["trainval", "labels.txt"];
const LISTS = ["train", "val", "trainval"];

/**
 * Opens PASCAL-Context (Mottaghi et al., CVPR 2014): `trainval/*.mat` with LabelMap, whose numbers `labels.txt` names.
 * The classes of the task are looked up there by name, and everything else is background (0). The lists are those of
 * VOC2010's `ImageSets/Main`.
 */
async function open(
  root: string,
  { voc: given, contextClasses = OPTIONS.contextClasses.fallback }: ContextOptions,
): Promise<OpenedLayout> {
  const voc = await vocFolder2010(root, given);
  const names = await classNames(root, contextClasses);
  const classes = inVocColours(["background", ...names]);
  const rule = await contextRule(root, names);
  const item = (name: string): SampleItem => ({
    name,
    image: [{ file: joinPath(voc, "JPEGImages", `${name}.jpg`), as: "rgb" }],
    labels: { kind: "mat", file: joinPath(root, "trainval", `${name}.mat`), path: ["LabelMap"], rule },
  });
  const lists = await readLists(joinPath(voc, "ImageSets/Main"), joinPath(voc, "JPEGImages"), LISTS);
  const splits = listDatasets(lists, classes, item);
  return { root, ...classes, splits, preprocessing: CONTEXT_MEAN, remarks: [] };
}

async function vocFolder2010(root: string, given: string | undefined): Promise<string> {
  const above = joinPath(root, "..");
  const guesses = [root, above].flatMap((folder) => [
    joinPath(folder, "VOC2010"),
    joinPath(folder, "VOCdevkit/VOC2010"),
  ]);
  for (const folder of given === undefined ? guesses : [given, joinPath(given, "VOC2010")]) {
    if (await hasAll(folder, ["JPEGImages", "ImageSets/Main"])) return folder;
  }
  const what = "name the folder of VOC2010 (with JPEGImages and ImageSets/Main)";
  const fix = { code: `${what} in the option voc`, command: `${what}: --voc VOCdevkit/VOC2010` };
  throw fileError("missing-data", given ?? root, "the images of PASCAL-Context, VOC2010, are not there", fix);
}

async function classNames(root: string, count: number): Promise<readonly string[]> {
  const file = joinPath(root, `${count}_labels.txt`);
  if ((await kindOf(file)) === undefined) {
    const known = [CONTEXT_33, CONTEXT_59].find(({ length }) => length === count);
    if (known) return known;
    throw fileError("missing-data", file, `it does not exist, but is needed for the names of the ${count} classes`, {
      code: "put the list there, with lines like `12: name`, or use the 59 or the 33 classes (contextClasses)",
      command: 'put the list there, with lines like "12: name", or use the 59 or the 33 classes (--context-classes 59)',
    });
  }
  const entries = [...(await numberedNames(file)).keys()].filter((name) => name !== "background");
  if (entries.length === count) return entries;
  throw damagedFile(file, `it names ${entries.length} classes besides the background, not ${count}`);
}

/** Parses lines `12: name` into name -> number; blanks inside names do not count. */
async function numberedNames(file: string): Promise<Map<string, number>> {
  const names = new Map<string, number>();
  for (const line of await readLines(file)) {
    const [, number, name] = /^(\d+)\s*:\s*(.+)$/.exec(line) ?? [];
    if (name === undefined) throw damagedFile(file, `its line "${line}" is not "number: name"`);
    names.set(name.replaceAll(" ", ""), Number(number));
  }
  return names;
}

async function contextRule(root: string, names: readonly string[]): Promise<LabelRule> {
  const file = joinPath(root, "labels.txt");
  const numbers = await numberedNames(file);
  const labels = names.map((name, i) => {
    const number = numbers.get(name) ?? numbers.get(RENAMED[name] ?? "");
    if (number === undefined) {
      const fix = "use the labels.txt of the data set";
      throw fileError("unknown-label", file, `it has no label named "${name}"`, fix);
    }
    return [number, i + 1] as const;
  });
  return { by: "value", labels, other: 0 };
}

export const pascalContext: Layout<ContextOptions> = {
  what: "trainval/ and labels.txt (PASCAL-Context)",
  parts: PARTS,
  recognise: (root) => hasAll(root, PARTS),
  open,
  options: OPTIONS,
};
