import { TensorError } from "@fcn/tensor";
import type { Abortable } from "../../abort.js";
import type { DataRemark, OpenedData } from "../dataset.js";
import { IMAGE_PATTERN } from "../decode/image.js";
import { damagedFile, fileError } from "../errors.js";
import { fileName, joinPath, kindOf, listFiles, readJson, sameText, withoutExtension } from "../files.js";
import type { SampleItem } from "../item.js";
import type { CocoInstance, CocoOverlap } from "../shapes/coco.js";
import { counted } from "../words.js";
import { absentLists, type CocoFile, isCoco, parseCoco, strayAnnotations } from "./cocoFile.js";
import { defaultPalette } from "./colours.js";
import { divide, type Origin } from "./divide.js";
import { namedSplit, type SplitOptions } from "./splits.js";

export interface CocoOptions {
  /** Names of the categories that become classes 1, 2, ... in this order; others become background. Default: all, by their id. */
  readonly categories?: readonly string[];
  /** Who gets a pixel that several instances claim. Default "smaller"; "void" is torchvision's rule. */
  readonly overlap?: CocoOverlap;
}

/** Annotation files: COCO's own (`annotations/instances_train2017.json`), Roboflow's (`train/_annotations.coco.json`), or any in the root. */
async function cocoFiles(root: string): Promise<string[]> {
  const files = (await listFiles(root, { recursive: true })).filter((file) => {
    const depth = file.split("/").length;
    return file.endsWith(".json") && depth <= 2 && !/(^|\/)(captions|person_keypoints|image_info)_/.test(file);
  });
  const instances = files.filter((file) => fileName(file).startsWith("instances_"));
  return instances.length > 0 ? instances : files.filter((file) => fileName(file) !== "classes.json");
}

/** Whether there is a COCO file below `root`. */
export async function hasCoco(root: string): Promise<boolean> {
  for (const file of (await cocoFiles(root)).slice(0, 3)) {
    // Files of this name are large: reading one twice would cost seconds.
    if (/(^|\/)annotations\/instances_/.test(file)) return true;
    if (isCoco(await readJson(joinPath(root, file)).catch(() => undefined))) return true;
  }
  return false;
}

/** What keeps the JSON files that may be COCO's from being read, in words; for a folder in which nothing else is found. */
export async function cocoProblems(root: string): Promise<string[]> {
  const problems: string[] = [];
  for (const file of (await cocoFiles(root)).slice(0, 3)) {
    const failure = await readCoco(joinPath(root, file)).catch((error: unknown) => error);
    if (failure instanceof TensorError) problems.push(failure.message);
  }
  return problems;
}

/** Undefined for JSON that has nothing of a COCO file. Throws a TensorError that names the file and what is wrong with it. */
async function readCoco(file: string): Promise<CocoFile | undefined> {
  const json = await readJson(file);
  const absent = absentLists(json);
  if (absent.length === 0) return parseCoco(file, json);
  if (absent.length === 3 && !fileName(file).startsWith("instances_")) return undefined;
  throw damagedFile(
    file,
    `it is not a COCO file: it has no list ${absent.map((name) => `"${name}"`).join(" and no ")}`,
  );
}

/**
 * Opens a folder with COCO annotations. Classes are background and the categories; a file whose name or folder tells a split is that split, and
 * others are divided as other folders are.
 */
export async function openCoco(root: string, options: SplitOptions & CocoOptions & Abortable): Promise<OpenedData> {
  const remarks: DataRemark[] = [];
  const pictures = await listFiles(root, { recursive: true });
  const read: { file: string; json: CocoFile }[] = [];
  for (const file of await cocoFiles(root)) {
    options.signal?.throwIfAborted();
    const json = await readCoco(joinPath(root, file));
    if (json) read.push({ file, json });
  }
  if (read.length === 0) throw fileError("missing-data", root, "it holds no COCO file", "put it into annotations/");
  const classes = classNames(
    root,
    read.map(({ json }) => json),
    options.categories,
  );
  const palette = defaultPalette(classes.length);
  const items: SampleItem[] = [];
  const origins: Origin[] = [];
  for (const { file, json } of read) {
    const found = itemsOf(root, file, json, classes, pictures, options.overlap ?? "smaller", remarks);
    remarks.push(...strayAnnotations(joinPath(root, file), json, options.categories !== undefined));
    items.push(...found);
    origins.push(...found.map(() => ({ from: `of ${file}`, split: splitOf(file) })));
  }
  if ((await kindOf(joinPath(root, "classes.json"))) === "file") {
    const text =
      "it is not read beside COCO files, whose categories are the classes; choose and order them by the option categories";
    const commandText = text.replace("the option categories", "--categories");
    remarks.push({ level: "warning", code: "unread-classes", file: joinPath(root, "classes.json"), text, commandText });
  }
  remarks.push(...pictureRemarks(root, items, origins, pictures));
  const { splits, remarks: about } = await divide(root, items, { classes, palette }, options, origins);
  return { root, layout: "coco", classes, palette, splits, remarks: [...about, ...remarks] };
}

/** Pictures that stand in two places of one split, of which each knows only a part of the annotations, and those that stand in none. */
function pictureRemarks(
  root: string,
  items: readonly SampleItem[],
  origins: readonly Origin[],
  pictures: readonly string[],
): DataRemark[] {
  const remarks: DataRemark[] = [];
  const first = new Map<string, SampleItem>();
  const listed = new Set<string>();
  for (const [i, item] of items.entries()) {
    const [file, key] = [fileOf(item), `${origins[i]?.split} ${fileOf(item)}`];
    const twin = first.get(key);
    listed.add(file);
    first.set(key, twin ?? item);
    if (twin === undefined) continue;
    const where = twin.labels.file === item.labels.file ? "twice in this file" : `here and in ${twin.labels.file}`;
    const text = `the picture ${file} is listed ${where}: each entry takes the annotations of the other for background; bring them into one`;
    remarks.push({ level: "problem", code: "same-picture", file: item.labels.file, text });
  }
  const left = pictures.filter((path) => IMAGE_PATTERN.test(path) && !listed.has(joinPath(root, path)));
  if (left.length === 0) return remarks;
  const folders = new Set([...listed].map(folderOf));
  const beside = left.some((path) => folders.has(folderOf(joinPath(root, path))));
  const what = `${counted(left.length, "picture")} ${left.length === 1 ? "is" : "are"}`;
  const text = `${what} in no COCO file and left out: ${left.slice(0, 3).join(", ")}${left.length > 3 ? ", ..." : ""}`;
  return [...remarks, { level: beside ? "warning" : "note", code: "left-out", file: root, text }];
}

const fileOf = ({ image }: SampleItem): string => image[0]?.file ?? "";
const folderOf = (path: string): string => path.slice(0, path.length - fileName(path).length);

function splitOf(file: string): string | undefined {
  const words = withoutExtension(file).split(/[/_\-.]|(?<=[a-z])(?=\d)/i);
  return words.map(namedSplit).find((word) => word !== undefined);
}

/** Background and the categories of all files, united by name: by id as the first file has them, those of further files behind. */
function classNames(root: string, files: readonly CocoFile[], wanted: readonly string[] | undefined): string[] {
  const known = files.flatMap(({ categories }) => [...categories].sort((a, b) => a.id - b.id).map(({ name }) => name));
  const absent = wanted?.find((name) => !known.includes(name));
  if (absent !== undefined) {
    const fix = `choose from ${[...new Set(known)].slice(0, 100).join(", ")}`;
    throw fileError("invalid-argument", root, `no category is named "${absent}"`, fix);
  }
  const chosen = [...new Set(wanted ?? known)].filter((name) => name !== "background");
  if (chosen.length > 254) throw damagedFile(root, `it has ${chosen.length} categories, 254 are possible`);
  return ["background", ...chosen];
}

function itemsOf(
  root: string,
  file: string,
  { images, annotations, categories }: CocoFile,
  classes: readonly string[],
  pictures: readonly string[],
  overlap: CocoOverlap,
  remarks: DataRemark[],
): SampleItem[] {
  const names = new Map(categories.map(({ id, name }) => [id, name]));
  const instances = new Map<number, CocoInstance[]>();
  for (const { id, image_id, category_id, iscrowd, segmentation } of annotations) {
    const label = classes.indexOf(names.get(category_id) ?? "");
    if (label < 1 || segmentation === undefined) continue;
    const list = instances.get(image_id) ?? [];
    list.push({ id, label, crowd: iscrowd === 1, segmentation });
    instances.set(image_id, list);
  }
  const find = pictureFinder(file, pictures);
  return images.flatMap(({ id, file_name, height, width }): SampleItem[] => {
    const picture = find(file_name);
    if (picture === undefined) {
      const text = `its picture "${file_name}" is nowhere in the folder`;
      remarks.push({ level: "problem", code: "missing-image", file: joinPath(root, file), text });
      return [];
    }
    const about = { kind: "coco", file: joinPath(root, file), picture: file_name } as const;
    const labels = { ...about, height, width, overlap, instances: instances.get(id) ?? [] };
    const image = [{ file: joinPath(root, picture), as: "rgb" }] as const;
    return [{ name: withoutExtension(picture), image, labels }];
  });
}

/** Finds a picture by the name in a COCO file: beside the file, in the folder of its split, or wherever one has that name. */
function pictureFinder(file: string, pictures: readonly string[]): (name: string) => string | undefined {
  const paths = new Map(pictures.map((path) => [sameText(path), path]));
  const byName = new Map<string, string[]>();
  for (const [text, path] of paths) byName.set(fileName(text), [...(byName.get(fileName(text)) ?? []), path]);
  const folder = file.slice(0, file.length - fileName(file).length);
  const split = splitOf(file);
  return (name) => {
    const direct = [`${folder}${name}`, name, `images/${name}`].map(sameText).find((path) => paths.has(path));
    const named = byName.get(sameText(fileName(name))) ?? [];
    return (
      (direct && paths.get(direct)) ??
      named.find((path) => path.split("/").some((part) => splitOf(part) === split)) ??
      named[0]
    );
  };
}
