import type { TensorError } from "@fcn/tensor";
import { IMAGE_PATTERN } from "../decode/image.js";
import { fileError, type Remedy } from "../files/errors.js";
import { joinPath, kindOf, listFiles } from "../files/files.js";
import type { DataRemark } from "../files/remarks.js";
import { type ClassEntry, classFileOf, readClasses } from "../folder/classes.js";
import { divide } from "../folder/divide.js";
import { chooseRule } from "../folder/meaning/chooseRule.js";
import { lookAtMasks } from "../folder/meaning/lookAtMasks.js";
import { surveyCounts } from "../folder/meaning/surveyCounts.js";
import { findPairs, PAIR_OPTIONS, type PairOptions } from "../folder/pairs.js";
import type { SampleItem } from "../samples/item.js";
import { rememberCounts } from "../samples/labelCounts.js";
import type { Layout, OpenedLayout, OpenerOptions } from "./layout.js";

const USUAL_FOLDERS = ["images", "masks"] as const;

/**
 * Pairs of folder names used elsewhere, such as by mmsegmentation and labelme2voc. They may hold files other than
 * masks.
 */
const OTHER_FOLDERS = [
  ["images", "labels"],
  ["images", "annotations"],
  ["img_dir", "ann_dir"],
  ["leftImg8bit", "gtFine"],
  ["leftImg8bit", "gtCoarse"],
  ["JPEGImages", "SegmentationClassPNG"],
  ["JPEGImages", "SegmentationClass"],
] as const;

/** The folders of images and masks below `root`; undefined if there is no known pair. */
async function maskFolders(root: string): Promise<{ images: string; masks: string } | undefined> {
  for (const [images, masks] of [USUAL_FOLDERS, ...OTHER_FOLDERS]) {
    const paths = { images: joinPath(root, images), masks: joinPath(root, masks) };
    const areFolders = (await kindOf(paths.images)) === "folder" && (await kindOf(paths.masks)) === "folder";
    if (areFolders && (masks === "masks" || (await hasImages(paths.masks)))) return paths;
  }
  return undefined;
}

async function hasImages(folder: string): Promise<boolean> {
  return (await listFiles(folder, { recursive: true })).some((file) => IMAGE_PATTERN.test(file));
}

/**
 * Opens `images/` and `masks/` with files of the same name, and optionally `classes.json` and `splits/*.txt`. The
 * meaning of the masks follows from the list of classes and what they hold, see {@link chooseRule}.
 */
async function open(root: string, options: OpenerOptions & PairOptions): Promise<OpenedLayout> {
  const folders = await maskFolders(root);
  if (folders === undefined) {
    throw fileError("missing-data", root, "it has no images/ and masks/", "put images and masks there");
  }
  return openPairs(root, folders, await readClasses(root), options);
}

/**
 * Opens the images and masks of two folders.
 *
 * @param entries the listed classes, if any
 * @param lists the folder of the split lists relative to `root`; `splits` by default
 */
export async function openPairs(
  root: string,
  folders: { readonly images: string; readonly masks: string },
  entries: readonly ClassEntry[] | undefined,
  options: OpenerOptions & PairOptions,
  lists?: string,
): Promise<OpenedLayout> {
  const { pairs, remarks, hint } = await findPairs(folders.images, folders.masks, options);
  if (pairs.length === 0) throw noPairs(root, folders, remarks[0], hint);
  const masks = pairs.map(({ mask }) => mask);
  const surveys = await lookAtMasks(masks, entries, options);
  const listedIn = classFileOf(entries);
  const meaning = chooseRule(root, surveys, entries);
  const { classes, palette } = meaning;
  const rule = listedIn === undefined ? meaning.rule : { ...meaning.rule, listedIn };
  const byFile = new Map(surveys.map((survey) => [survey.file, survey]));
  const items = pairs.map(({ name, image, mask }): SampleItem => {
    const labels = { kind: "png", file: mask, rule } as const;
    const survey = byFile.get(mask);
    const counts = survey && surveyCounts(survey, rule);
    if (counts) rememberCounts(labels, counts);
    return { name, image: [{ file: image, as: "rgb" }], labels };
  });
  const { splits, remarks: about } = await divide(root, items, { classes, palette }, options, undefined, lists);
  return { root, classes, palette, splits, remarks: [...meaning.remarks, ...about, ...remarks] };
}

function noPairs(
  root: string,
  { images, masks }: { readonly images: string; readonly masks: string },
  first: DataRemark | undefined,
  hint: Remedy | undefined,
): TensorError {
  // The hint becomes the remedy of the error.
  const said = (hint && first?.parts?.problem) ?? first?.text;
  const why = first ? `, for example ${first.file}: ${said}` : "";
  const problem = `no image in ${images} has a mask of the same name in ${masks}${why}`;
  return fileError("missing-data", root, problem, hint ?? "name each mask as its image: images/a.jpg, masks/a.png");
}

/** A user's own images and masks. */
export const folder: Layout<PairOptions> = {
  what: "images/ and masks/",
  parts: USUAL_FOLDERS,
  hasOtherNames: true,
  recognise: async (root) => (await maskFolders(root)) !== undefined,
  open,
  options: PAIR_OPTIONS,
};
