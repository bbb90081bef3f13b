import { TensorError } from "@fcn/tensor";
import type { Abortable } from "../../abort.js";
import type { OpenedData } from "../dataset.js";
import { IMAGE_PATTERN } from "../decode/image.js";
import { fileError } from "../errors.js";
import { joinPath, kindOf, listFiles } from "../files.js";
import type { SampleItem } from "../item.js";
import { type WorkerOptions, withPool } from "../workers/pool.js";
import { chooseRule, type MaskMeaning } from "./chooseRule.js";
import { type ClassEntry, readClasses } from "./classes.js";
import { divide } from "./divide.js";
import { findPairs, type Pair } from "./pairs.js";
import type { SplitOptions } from "./splits.js";
import type { MaskSurvey } from "./surveyMasks.js";

type PoolOptions = WorkerOptions & Abortable;

/** Pairs of folder names that are known elsewhere, such as in mmsegmentation and labelme2voc. They may hold other files than masks. */
const OTHER_FOLDERS = [
  ["images", "labels"],
  ["images", "annotations"],
  ["img_dir", "ann_dir"],
  ["JPEGImages", "SegmentationClassPNG"],
] as const;

/** The folders of pictures and masks below `root`; undefined when there is no known pair. */
export async function maskFolders(root: string): Promise<{ images: string; masks: string } | undefined> {
  for (const [images, masks] of [["images", "masks"], ...OTHER_FOLDERS] as const) {
    const paths = { images: joinPath(root, images), masks: joinPath(root, masks) };
    const areFolders = (await kindOf(paths.images)) === "folder" && (await kindOf(paths.masks)) === "folder";
    if (areFolders && (masks === "masks" || (await hasPictures(paths.masks)))) return paths;
  }
  return undefined;
}

async function hasPictures(folder: string): Promise<boolean> {
  return (await listFiles(folder, { recursive: true })).some((file) => IMAGE_PATTERN.test(file));
}

/**
 * Opens a folder of pictures and masks: `images/` and `masks/` with files of the same name, optional `classes.json` and `splits/*.txt`. What the
 * masks mean is found by looking, see {@link chooseRule}.
 */
export async function openMaskFolder(root: string, options: SplitOptions & PoolOptions): Promise<OpenedData> {
  const folders = await maskFolders(root);
  if (folders === undefined) {
    throw fileError("missing-data", root, "it has no images/ and masks/", "put pictures and masks there");
  }
  const { pairs, remarks } = await findPairs(folders.images, folders.masks);
  if (pairs.length === 0) {
    throw new TensorError({
      code: "missing-data",
      message: `${root}: no picture in ${folders.images} has a mask of the same name in ${folders.masks}`,
      fix: "name each mask as its picture: images/a.jpg, masks/a.png",
    });
  }
  const meaning = await understandMasks(root, pairs, await readClasses(root), options);
  const { classes, palette, rule } = meaning;
  const items = pairs.map(({ name, image, mask }): SampleItem => {
    return { name, image: [{ file: image, as: "rgb" }], labels: { kind: "png", file: mask, rule } };
  });
  const { splits, remarks: about } = await divide(root, items, { classes, palette }, options);
  return { root, layout: "folder", classes, palette, splits, remarks: [...meaning.remarks, ...about, ...remarks] };
}

/** As many masks tell the kind of all; where classes are to be found, every mask is looked at. */
const FEW = 16;

async function understandMasks(
  root: string,
  pairs: readonly Pair[],
  entries: readonly ClassEntry[] | undefined,
  options: PoolOptions,
): Promise<MaskMeaning> {
  const isSaid = entries?.some(({ colour, value }) => colour !== undefined || value !== undefined) ?? false;
  const step = isSaid ? Math.max(1, Math.ceil(pairs.length / FEW)) : 1;
  const files = pairs.filter((_, i) => i % step === 0).map(({ mask }) => mask);
  return chooseRule(root, await surveyMasks(files, options), entries);
}

/** A mask that cannot be read does not keep the others from being understood: it fails when it is loaded, and in the check. */
async function surveyMasks(files: readonly string[], options: PoolOptions): Promise<MaskSurvey[]> {
  const failures: unknown[] = [];
  const surveys = await withPool(options, files.length, (pool) =>
    Promise.all(
      files.map((file) =>
        pool.run("survey", file).catch((error: unknown) => {
          failures.push(error);
          return undefined;
        }),
      ),
    ),
  );
  const read = surveys.filter((survey) => survey !== undefined);
  if (read.length === 0) throw failures[0];
  return read;
}
