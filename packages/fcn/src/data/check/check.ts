import { firstOf } from "@fcn/tensor/internal";
import type { PixelDepth } from "../decode/pixelScale.js";
import { type DataRemark, plainRemark, withFix } from "../files/remarks.js";
import { inspectAll, keysOf } from "../open/inspectAll.js";
import { open } from "../open/open.js";
import type { OpenOptions } from "../open/openOptions.js";
import { soften } from "../open/skipBad.js";
import { isKept } from "../open/skippable.js";
import type { LeftOut, OpenedData } from "../samples/dataset.js";
import { findLookalikes } from "../workers/fingerprint.js";
import type { Inspection } from "../workers/inspect.js";

export type CheckOptions = OpenOptions;

/** The contents of one split. */
export interface SplitSummary {
  readonly samples: number;
  readonly pixels: number;
  /** Number of pixels of each class. */
  readonly histogram: readonly number[];
  /** For each class, the number of labelled pixels in the images that contain it. */
  readonly presentPixels: readonly number[];
  /** Share of void pixels, 0 to 1. */
  readonly voidShare: number;
  /** Sizes of the readable images with the fewest and the most pixels. */
  readonly smallest: readonly [height: number, width: number];
  readonly largest: readonly [height: number, width: number];
}

export interface LevelSummary {
  readonly min: number;
  readonly max: number;
  /** Number of distinct values on the scale 0 to 255, if there are only a few. */
  readonly distinct?: number;
}

export type LevelsByDepth = Readonly<Partial<Record<PixelDepth, LevelSummary>>>;

export interface DataReport {
  /** True if there is no problem; there may still be warnings. */
  readonly ok: boolean;
  readonly root: string;
  readonly layout: string;
  readonly classes: readonly string[];
  readonly splits: Readonly<Record<string, SplitSummary>>;
  /** Range of the photographs' stored values, by depth. */
  readonly levels: LevelsByDepth;
  /** Problems first, then warnings, then notes. */
  readonly remarks: readonly DataRemark[];
  /** The images that `skipBad` excluded from everything in the report; absent without that option. */
  readonly leftOut?: readonly LeftOut[];
  readonly seconds: number;
}

/**
 * Checks every file of a data set before training: finds images and labels that are unreadable or differ in size,
 * labels without a class, missing partners, void, classes without pixels, and training images that recur in the
 * validation set. Decodes in worker threads (Node). Faults of the files are reported as remarks rather than thrown;
 * errors of {@link open} are thrown.
 *
 * @param data a folder, or what {@link open} returned
 *
 * @example
 * ```ts
 * import { data } from "@fcn/core";
 *
 * const report = await data.check("street", { onProgress: (done, total) => console.log(done, total) });
 * for (const { level, file, text } of report.remarks) console.log(level, file, text);
 * if (!report.ok) process.exitCode = 1;
 * ```
 */
export async function check(data: string | OpenedData, options: CheckOptions = {}): Promise<DataReport> {
  const start = performance.now();
  const opened = typeof data === "string" ? await open(data, options) : data;
  const inspections = await inspectAll(opened, options);
  const bySplit = new Map(
    Object.entries(opened.splits).map(([name, dataset]) => {
      return [name, keysOf(dataset).map((key) => inspections.get(key) as Inspection)] as const;
    }),
  );
  const splits = [...bySplit].map(([name, list]) => [name, summarise(list, opened.classes.length)] as const);
  const found = judgeConstants([...inspections.values()]);
  const remarks = [
    // Images that were left out are not inspected, so any problem found here is new.
    ...(opened.leftOut ? found.map((remark) => (isKept(remark.code) ? soften(remark) : remark)) : found),
    ...opened.remarks,
    ...judgeNames(opened),
    ...judgeClasses(opened),
    ...splits.flatMap(([name, summary]) => judgeSplit(opened, name, summary)),
    ...findLeaks(opened, bySplit),
  ];
  return {
    ok: remarks.every(({ level }) => level !== "problem"),
    root: opened.root,
    layout: opened.layout,
    classes: opened.classes,
    splits: Object.fromEntries(splits),
    levels: levelsByDepth([...inspections.values()]),
    remarks: remarks.map(plainRemark).sort(byLevelAndFile),
    ...(opened.leftOut ? { leftOut: opened.leftOut } : {}),
    seconds: (performance.now() - start) / 1000,
  };
}

const LEVELS = ["problem", "warning", "note"];

/** A fixed order, whatever order the remarks were found in. */
function byLevelAndFile(a: DataRemark, b: DataRemark): number {
  const levels = LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level);
  return levels || compare(a.file, b.file) || compare(a.text, b.text);
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

function summarise(list: readonly Inspection[], numClasses: number): SplitSummary {
  const histogram = new Array<number>(numClasses).fill(0);
  const presentPixels = new Array<number>(numClasses).fill(0);
  let voids = 0;
  for (const { counts, voidPixels } of list) {
    const ofImage = counts.reduce((sum, count) => sum + count, 0);
    counts.forEach((count, label) => {
      histogram[label]! += count;
      if (count > 0) presentPixels[label]! += ofImage;
    });
    voids += voidPixels;
  }
  const labelled = histogram.reduce((sum, count) => sum + count, 0);
  const bySize = list.filter(({ height }) => height > 0).sort((a, b) => a.height * a.width - b.height * b.width);
  const sizeOf = (entry: Inspection | undefined) => [entry?.height ?? 0, entry?.width ?? 0] as const;
  return {
    samples: list.length,
    pixels: labelled + voids,
    histogram,
    presentPixels,
    voidShare: labelled + voids > 0 ? voids / (labelled + voids) : 0,
    smallest: sizeOf(bySize[0]),
    largest: sizeOf(bySize.at(-1)),
  };
}

function levelsByDepth(list: readonly Inspection[]): LevelsByDepth {
  const known = list.flatMap(({ levels }) => (levels === undefined || Number.isNaN(levels.min) ? [] : [levels]));
  const depths = [...new Set(known.map(({ depth }) => depth))].sort();
  const summaries = depths.map((depth) => {
    const own = known.filter((levels) => levels.depth === depth);
    const min = own.reduce((least, levels) => Math.min(least, levels.min), Number.POSITIVE_INFINITY);
    const max = own.reduce((most, levels) => Math.max(most, levels.max), Number.NEGATIVE_INFINITY);
    const isFew = own.every(({ few }) => few !== undefined);
    const distinct = isFew ? { distinct: new Set(own.flatMap(({ few = [] }) => few)).size } : {};
    return [depth, { min, max, ...distinct }] as const;
  });
  return Object.fromEntries(summaries);
}

/** Layouts of a user's own images, which are divided by `splits/`; published sets bring their own lists. */
const OWN_LAYOUTS: readonly string[] = ["folder", "coco", "labelme"];

/** A folder may be meant for measuring only or for training only, which is not a fault of its images. */
function judgeNames({ root, layout, splits }: OpenedData): DataRemark[] {
  if (Object.keys(splits).length === 0) {
    return [{ level: "problem", code: "no-split", file: root, text: "it has no split: no list names its images" }];
  }
  const isOwn = OWN_LAYOUTS.includes(layout);
  const list = (name: string): string => (isOwn ? `splits/${name}.txt` : `a list ${name}.txt`);
  if (splits.train === undefined) {
    const text = `it has no split named train: it can be evaluated but not trained on until ${list("train")} names images`;
    return [{ level: "warning", code: "no-train", file: root, text }];
  }
  if (splits.val !== undefined) return [];
  const otherwise = isOwn ? ", or remove splits/, so that a part is held back at random" : "";
  const text = `it has no split named val: training has no scores, and the last weights count as the best; name images in ${list("val")}${otherwise}`;
  return [{ level: "warning", code: "no-val", file: root, text }];
}

/** A share of blank images up to this is plausible. */
const FEW_BLANK = 0.25;

/** The remarks of the images. A few constant images are only a note, because an occasional blank one is no mistake. */
function judgeConstants(list: readonly Inspection[]): DataRemark[] {
  const remarks = list.flatMap((inspection) => inspection.remarks);
  const blank = remarks.filter(({ code }) => code === "constant-image").length;
  if (blank > FEW_BLANK * list.length) return remarks;
  return remarks.map((remark) => (remark.code === "constant-image" ? { ...remark, level: "note" } : remark));
}

/** Names that differ only in blanks or capitals most likely mean one class. */
function judgeClasses({ root, classes }: OpenedData): DataRemark[] {
  const plain = classes.map((name) => name.trim().toLowerCase());
  const twins = classes.filter((_, label) => plain.indexOf(plain[label] as string) < label);
  return twins.map((name) => {
    const first = classes[plain.indexOf(name.trim().toLowerCase())];
    const text = `the classes "${first}" and "${name}" differ only in blanks or capitals: they are probably one class`;
    return { level: "warning", code: "similar-names", file: root, text };
  });
}

const LARGE_VOID_SHARE = 0.5;
const MOST_NAMES = 12;

function judgeSplit({ root, classes }: OpenedData, split: string, summary: SplitSummary): DataRemark[] {
  const { samples, histogram, voidShare, pixels } = summary;
  const about = (level: DataRemark["level"], code: string, text: string): DataRemark[] => [
    { level, code, file: root, text: `${split}: ${text}` },
  ];
  if (samples === 0) return about(split === "train" ? "problem" : "warning", "empty-split", "it has no image");
  if (pixels === 0) return [];
  const present = classes.filter((_, label) => (histogram[label] as number) > 0);
  const absent = classes.filter((_, label) => histogram[label] === 0).map((name) => `"${name}"`);
  const percent = (100 * voidShare).toFixed(1);
  return [
    ...(voidShare > LARGE_VOID_SHARE ? about("warning", "much-void", `${percent} % of the pixels are void`) : []),
    ...(present.length === 0 ? about("problem", "no-labels", "no pixel has a class") : []),
    ...(present.length === 1 && split === "train"
      ? about("problem", "one-class", `all labelled pixels are "${present[0]}": there is nothing to learn`)
      : []),
    ...(absent.length > 0 && present.length > (split === "train" ? 1 : 0)
      ? about("warning", "empty-class", `no pixel has the class ${firstOf(absent, MOST_NAMES)}`)
      : []),
  ];
}

/**
 * Finds images of "train" that recur in the splits used for measuring, as the same file or as one that looks the same.
 */
function findLeaks(opened: OpenedData, bySplit: ReadonlyMap<string, readonly Inspection[]>): DataRemark[] {
  const train = bySplit.get("train") ?? [];
  const fileOf = (split: string, i: number): string => opened.splits[split]?.item?.(i).image[0]?.file ?? "";
  const byHash = new Map(train.map(({ hash }, i) => [hash, i] as const));
  const told = new Set<string>();
  const remarks: DataRemark[] = [];
  for (const [split, list] of bySplit) {
    if (split.includes("train")) continue;
    const remark = (level: DataRemark["level"], code: string, j: number, i: number, what: string): void => {
      const file = fileOf(split, j);
      if (told.has(file)) return;
      told.add(file);
      const problem = `this image of "${split}" ${what} ${fileOf("train", i)} of "train"`;
      const fix = "remove one of the two with its mask, or put both into the same split";
      remarks.push({ level, code, file, ...withFix(problem, level === "problem" ? fix : undefined) });
    };
    list.forEach(({ hash }, j) => {
      const i = hash === "" ? undefined : byHash.get(hash);
      if (i !== undefined) remark("problem", "duplicate", j, i, "is the same file as");
    });
    const thumbnails = (side: readonly Inspection[]) => side.map(({ thumbnail }) => thumbnail);
    for (const { a, b } of findLookalikes(thumbnails(train), thumbnails(list))) {
      remark("warning", "near-duplicate", b, a, "looks the same as");
    }
  }
  return remarks;
}
