import { nodeModule } from "@fcn/tensor/internal";
import type { OptionTable } from "../../options/option.js";
import { mapped, size, whole } from "../../options/rules.js";
import { readImageSize } from "../decode/image.js";
import { indexRule, type LabelRule } from "../decode/rule.js";
import { isBucket } from "../files/buckets.js";
import { fileError, unlessAway } from "../files/errors.js";
import { fileName, joinPath, listFolders } from "../files/files.js";
import { counted } from "../files/words.js";
import { PAIR_OPTIONS, type PairOptions } from "../folder/pairs.js";
import { VOC_CLASSES } from "../published/classNames.js";
import { IMAGENET_MEAN, VOC_MEAN } from "../published/means.js";
import { type SegmentationDataset, subset } from "../samples/dataset.js";
import type { SampleItem } from "../samples/item.js";
import type { Layout, OpenedLayout, OpenerOptions } from "./layout.js";
import { hasAll, inVocColours, listDatasets, missingList, readLists } from "./lists.js";
import { openOwnVoc, refuseMaskSuffix, refuseOwnClasses } from "./ownVoc.js";
import { openSbd } from "./sbd.js";

export interface VocOptions {
  /** The year to open in a folder that holds several (`VOCdevkit`). Default: the last. */
  readonly year?: number;
  /** The SBD folder: train on SBD's train list, and validate on the rest of VOC's val ({@link seg11valid}). */
  readonly sbd?: string;
  /**
   * Follows the FCN chapter of the d2l book: void counts as background, and images with a side below that of the crop
   * are left out. Pass the same size to the loader's augmentation as `crop`.
   */
  readonly d2l?: { readonly crop: readonly [height: number, width: number] };
}

const OPTIONS: OptionTable<VocOptions & PairOptions> = {
  year: {
    rule: whole(2007),
    flag: "--year <n>",
    help: "for VOC: the year to use if the folder has several",
    fallbackText: "the latest",
    decides: "trainingImages",
  },
  sbd: {
    flag: "--sbd <dir>",
    help: "for VOC 2011: the folder of SBD, to train on; its training images are left out of VOC's val",
    decides: "trainingImages",
  },
  d2l: {
    flag: "--d2l <HxW>",
    help: "for VOC: the variant of the d2l book, in which void counts as background and images smaller than this crop are left out",
    reader: mapped(size, (crop) => ({ crop })),
  },
  ...PAIR_OPTIONS,
};

const PARTS = ["JPEGImages", "SegmentationClass", "ImageSets/Segmentation"];
const LISTS = ["train", "val", "trainval", "test"];

/** The folder of a PASCAL VOC year (with `JPEGImages`) in or below `root`; undefined if there is none. */
async function vocFolder(root: string, year?: number): Promise<string | undefined> {
  if (await hasAll(root, PARTS)) return root;
  const below = [root, joinPath(root, "VOCdevkit")];
  for (const folder of below) {
    if (!(await hasAll(folder, [""]))) continue;
    const years = (await listFolders(folder)).filter((name) => /^VOC20\d\d$/.test(name)).reverse();
    for (const name of years.filter((entry) => year === undefined || entry === `VOC${year}`)) {
      if (await hasAll(joinPath(folder, name), PARTS)) return joinPath(folder, name);
    }
  }
  return undefined;
}

/**
 * Opens the segmentation data of PASCAL VOC 2007 to 2012: palette PNG masks whose indices are the labels, with 255 as
 * void. A folder that names its own classes is opened by {@link openOwnVoc}.
 */
async function open(root: string, options: VocOptions & PairOptions & OpenerOptions): Promise<OpenedLayout> {
  await refuseOtherYear(root, options.year);
  const folder = await vocFolder(root, options.year);
  if (folder === undefined) {
    throw fileError(
      "missing-data",
      root,
      `it holds no VOC${options.year ?? "20xx"}`,
      "name the folder with JPEGImages",
    );
  }
  const { sbd, d2l } = options;
  if (sbd !== undefined && d2l !== undefined) {
    const fix = "pass only one of them";
    throw fileError("invalid-argument", root, "sbd and d2l are alternative ways to train", fix);
  }
  const own = await openOwnVoc(root, folder, options);
  if (own && (sbd ?? d2l) !== undefined) refuseOwnClasses(folder, sbd === undefined ? "d2l" : "sbd");
  if (own) return own;
  if (options.maskSuffix !== undefined) refuseMaskSuffix(folder);
  const rule = options.d2l ? D2L_RULE : indexRule(VOC_CLASSES.length);
  const item = (name: string): SampleItem => ({
    name,
    image: [{ file: joinPath(folder, "JPEGImages", `${name}.jpg`), as: "rgb" }],
    labels: { kind: "png", file: joinPath(folder, "SegmentationClass", `${name}.png`), rule },
  });
  const lists = await readLists(joinPath(folder, "ImageSets/Segmentation"), joinPath(folder, "JPEGImages"), LISTS);
  const opened: OpenedLayout = {
    root: folder,
    ...VOC,
    splits: listDatasets(lists, VOC, item),
    preprocessing: options.d2l ? IMAGENET_MEAN : VOC_MEAN,
    remarks: [],
  };
  if (options.d2l) return withoutSmall(opened, options.d2l.crop, options.signal);
  return options.sbd === undefined ? opened : withSbd(opened, options.sbd);
}

/** Throws if the folder holds a single year and another one was asked for. */
async function refuseOtherYear(root: string, year: number | undefined): Promise<void> {
  if (year === undefined || !(await hasAll(root, PARTS))) return;
  const { realpath } = nodeModule("open", "node:fs/promises");
  const name = fileName(isBucket(root) ? root : await realpath(root));
  if (name.endsWith(String(year))) return;
  const fix = "leave the year out, or name the folder above that holds several years";
  throw fileError(
    "invalid-argument",
    root,
    `it is one year of VOC ("${name}"), but the year ${year} was asked for`,
    fix,
  );
}

/** The classes and colours of PASCAL VOC and SBD. */
const VOC = /* @__PURE__ */ inVocColours(VOC_CLASSES);

/** Anything other than the 21 labels is background, including the void border. */
const D2L_RULE: LabelRule = { by: "value", labels: VOC_CLASSES.map((_, label) => [label, label]), other: 0 };

async function withoutSmall(
  opened: OpenedLayout,
  [height, width]: readonly [number, number],
  signal: AbortSignal | undefined,
): Promise<OpenedLayout> {
  const splits: Record<string, OpenedLayout["splits"][string]> = {};
  for (const [name, dataset] of Object.entries(opened.splits)) {
    const kept: number[] = [];
    for (let i = 0; i < dataset.length; i++) {
      signal?.throwIfAborted();
      // An unreadable image is reported when it is loaded, and by the check.
      const size = await readImageSize(dataset.item?.(i).image[0]?.file as string).catch(unlessAway(undefined));
      if (size === undefined || (size.height >= height && size.width >= width)) kept.push(i);
    }
    splits[name] = subset(dataset, kept);
  }
  const text = `d2l's variant: void counts as background, images below ${height}x${width} are left out`;
  return { ...opened, splits, remarks: [{ level: "note", code: "d2l", file: opened.root, text }] };
}

/**
 * The names of `val` (VOC 2011) that are not in SBD's training list, in order: 736 with the published lists. Nets
 * trained on SBD are validated on these, as in the FCN paper.
 */
export function seg11valid(val: readonly string[], sbdTrain: readonly string[]): string[] {
  const trained = new Set(sbdTrain);
  return val.filter((name) => !trained.has(name));
}

async function withSbd(voc: OpenedLayout, root: string): Promise<OpenedLayout> {
  const { train } = (await openSbd(root)).splits;
  const { val } = voc.splits;
  if (train === undefined) throw missingList(root, "train");
  if (val === undefined) throw missingList(voc.root, "val");
  const names = namesOf(val);
  const left = new Set(seg11valid(names, namesOf(train)));
  const rest = subset(
    val,
    [...names.keys()].filter((i) => left.has(names[i] as string)),
  );
  const text = `training on ${counted(train.length, "image")} of SBD, validation on the ${rest.length} of ${fileName(voc.root)}'s val that are not among them`;
  const remarks = [{ level: "note", code: "seg11valid", file: voc.root, text } as const];
  return { ...voc, layout: "voc+sbd", splits: { train, val: rest, seg11valid: rest }, remarks };
}

const namesOf = ({ length, name }: SegmentationDataset): string[] => Array.from({ length }, (_, i) => name(i));

/** PASCAL VOC, and users' own folders in that arrangement. */
export const voc: Layout<VocOptions & PairOptions> = {
  what: "JPEGImages/, SegmentationClass/ and ImageSets/Segmentation/ (PASCAL VOC)",
  parts: PARTS,
  recognise: async (root) => (await vocFolder(root)) !== undefined,
  open,
  options: OPTIONS,
};
