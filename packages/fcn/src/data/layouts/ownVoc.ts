import { fileError } from "../files/errors.js";
import { joinPath } from "../files/files.js";
import type { DataRemark } from "../files/remarks.js";
import { CLASS_FILES, readClasses } from "../folder/classes.js";
import type { PairOptions } from "../folder/pairs.js";
import { namedSplit, readSplitFiles } from "../folder/splits.js";
import { openPairs } from "./folder.js";
import type { OpenedLayout, OpenerOptions } from "./layout.js";

const LISTS = "ImageSets/Segmentation";

/**
 * Opens a folder that is arranged like PASCAL VOC but names its own classes (labelme2voc, CVAT). Its masks are
 * interpreted like those of any user's folder. The file of classes lies in `folder`, which holds the images, or in
 * `root`, possibly above it. If no list is named train, val or test (CVAT has `default.txt`), images are divided at
 * random. Undefined if nothing names the classes.
 */
export async function openOwnVoc(
  root: string,
  folder: string,
  options: OpenerOptions & PairOptions,
): Promise<OpenedLayout | undefined> {
  const entries = (await readClasses(folder)) ?? (await readClasses(root));
  if (entries === undefined) return undefined;
  const folders = { images: joinPath(folder, "JPEGImages"), masks: joinPath(folder, "SegmentationClass") };
  const lists = [...((await readSplitFiles(joinPath(folder, LISTS))) ?? new Map()).keys()];
  const isDivided = lists.some((name) => namedSplit(name) !== undefined);
  const opened = await openPairs(folder, folders, entries, options, isDivided ? LISTS : undefined);
  // The lists tell which images are labelled.
  const isKnown = ({ code }: DataRemark): boolean => isDivided && code === "image-without-mask";
  return { ...opened, remarks: opened.remarks.filter((remark) => !isKnown(remark)) };
}

/** Throws for an option that only applies to the published set. */
export function refuseOwnClasses(folder: string, option: string): never {
  const problem = `it names classes of its own (${CLASS_FILES.join(", ")}), but ${option} (--${option}) is for the classes of PASCAL VOC`;
  throw fileError("invalid-argument", folder, problem, "leave the option out, or remove the file with the classes");
}

/** Throws for an option that only applies to a user's own masks. */
export function refuseMaskSuffix(folder: string): never {
  const problem = "its masks are read as those of PASCAL VOC, which have the names of their images";
  throw fileError("invalid-argument", folder, problem, {
    code: `leave maskSuffix out, or list classes of your own in ${CLASS_FILES[0]}`,
    command: `leave --mask-suffix out, or list classes of your own in ${CLASS_FILES[0]}`,
  });
}
