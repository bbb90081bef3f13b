import type { ErrorCode, TensorError } from "@fcn/tensor";
import { firstOf } from "@fcn/tensor/internal";
import { vocColours } from "../../labels/colours.js";
import type { OptionTable } from "../../options/option.js";
import { names, oneOf } from "../../options/rules.js";
import { absentLists, type CocoFile, type CocoImage, isCoco, parseCoco } from "../annotations/cocoFile.js";
import { compareIds } from "../annotations/cocoIds.js";
import { cocoImages, splitOf } from "../annotations/cocoImages.js";
import { strayAnnotations } from "../annotations/cocoStrays.js";
import { jsonFiles, jsonKind, readEach } from "../annotations/jsonFiles.js";
import { IMAGE_PATTERN } from "../decode/image.js";
import { damagedFile, fileError, unlessAway } from "../files/errors.js";
import { fileName, folderOf, joinPath, kindOf, listFiles, readJson, withoutExtension } from "../files/files.js";
import { pathFinder } from "../files/findPath.js";
import { type DataRemark, withFix } from "../files/remarks.js";
import { counted } from "../files/words.js";
import { divide, type Origin } from "../folder/divide.js";
import type { SampleItem } from "../samples/item.js";
import { COCO_OVERLAPS, type CocoInstance, type CocoOverlap } from "../shapes/coco.js";
import type { Layout, OpenedLayout, OpenerOptions } from "./layout.js";

export interface CocoOptions {
  /**
   * Names of the categories that become classes 1, 2, ... in this order; others become background. Default: all, by id.
   */
  readonly categories?: readonly string[];
  /** What happens to a pixel that several instances claim. Default "smaller"; "void" is torchvision's rule. */
  readonly overlap?: CocoOverlap;
}

const OPTIONS = {
  categories: {
    flag: "--categories <list>",
    help: "for COCO: categories that become classes 1, 2, ... in this order, separated by commas; all others become background",
    fallbackText: "all, in the order of their ids",
    reader: names("person,dog"),
    decides: "classes",
  },
  overlap: {
    rule: oneOf(COCO_OVERLAPS),
    fallback: "smaller",
    flag: "--coco-overlap <rule>",
    help: "for COCO: what pixels of overlapping instances get: the class of the smaller one, or void: smaller, void",
  },
} as const satisfies OptionTable<CocoOptions>;

/**
 * Files that may be COCO annotations: `annotations/instances_train2017.json`, Roboflow's
 * `train/_annotations.coco.json`, or any file with COCO's keys in the root or in a folder directly below; if there is
 * none, those of all folders.
 */
async function cocoFiles(root: string): Promise<string[]> {
  const files = (await jsonFiles(root)).filter((file) => !/(^|\/)(captions|person_keypoints|image_info)_/.test(file));
  const isNear = (file: string): boolean => file.split("/").length <= 2;
  const near = await ofCoco(root, files.filter(isNear));
  if (near.length > 0) return near;
  const far = files.filter((file) => !isNear(file));
  return ofCoco(root, far);
}

async function ofCoco(root: string, files: readonly string[]): Promise<string[]> {
  const instances = files.filter((file) => fileName(file).startsWith("instances_"));
  if (instances.length > 0) return instances;
  const found: string[] = [];
  for (const file of files) {
    // A file that cannot be read is reported when it is opened.
    if ((await jsonKind(root, file).catch(unlessAway("coco"))) === "coco") found.push(file);
  }
  return found;
}

async function hasCoco(root: string): Promise<boolean> {
  for (const file of await cocoFiles(root)) {
    // Files with this name are large, and reading one twice would take seconds.
    if (/(^|\/)annotations\/instances_/.test(file)) return true;
    if (isCoco(await readJson(joinPath(root, file)).catch(unlessAway(undefined)))) return true;
  }
  return false;
}

/** Undefined for JSON without any COCO keys. Throws a TensorError that names the file and its fault. */
export async function readCoco(file: string): Promise<CocoFile | undefined> {
  const json = await readJson(file);
  const absent = absentLists(json);
  if (absent.length === 0) return parseCoco(file, json);
  if (absent.length === 3 && !fileName(file).startsWith("instances_")) return undefined;
  const lists = absent.map((name) => `"${name}"`).join(" and no ");
  throw damagedFile(file, `it is not a COCO file: it has no list ${lists}`);
}

/**
 * Opens a folder with COCO annotations. The classes are background and the categories. A file whose name or folder
 * states a split forms that split; others are divided like any other folder.
 */
async function open(root: string, options: CocoOptions & OpenerOptions): Promise<OpenedLayout> {
  const remarks: DataRemark[] = [];
  const images = await listFiles(root, { recursive: true });
  const about = { remarks, signal: options.signal, ahead: 1 };
  // An unusable file is a remark if there are others, and an error otherwise.
  const { found: read, failures } = await readEach(
    root,
    await cocoFiles(root),
    about,
    (file) => readCoco(joinPath(root, file)),
    (file, json) => json && { file, json },
  );
  if (read.length === 0) {
    throw failures[0] ?? fileError("missing-data", root, "it holds no COCO file", "put it into annotations/");
  }
  const classes = classNames(
    root,
    read.map(({ json }) => json),
    options.categories,
  );
  const palette = vocColours(classes.length);
  const items: SampleItem[] = [];
  const origins: Origin[] = [];
  const find = pathFinder(images);
  for (const { file, json } of read) {
    const paths = await cocoImages(root, file, json.images, find, remarks);
    const found = itemsOf(root, file, json, classes, paths, options.overlap ?? OPTIONS.overlap.fallback);
    remarks.push(...json.remarks, ...strayAnnotations(joinPath(root, file), json, options.categories !== undefined));
    items.push(...found);
    origins.push(...found.map(() => ({ from: `of ${file}`, split: splitOf(file) })));
  }
  if (items.length === 0) throw nothingFound(root, remarks);
  if ((await kindOf(joinPath(root, "classes.json"))) === "file") {
    const problem = "it is not read, because the categories of the COCO files are the classes";
    const fix = (option: string): string => `choose and order them with ${option}`;
    const said = withFix(problem, fix("the option categories"), fix("--categories"));
    remarks.push({ level: "warning", code: "unread-classes", file: joinPath(root, "classes.json"), ...said });
  }
  remarks.push(...imageRemarks(root, items, origins, images));
  const divided = await divide(root, items, { classes, palette }, options, origins);
  return { root, classes, palette, ...divided, remarks: [...divided.remarks, ...remarks] };
}

/** If no image can be used, the fault of the first most likely applies to all. */
function nothingFound(root: string, remarks: readonly DataRemark[]): TensorError {
  const problems = remarks.filter(({ level }) => level === "problem");
  const [first] = problems;
  const fix = "correct the file, or put the images where it says";
  if (first === undefined) return fileError("missing-data", root, "its COCO files list no image", fix);
  const rest = problems.length > 1 ? `, and ${counted(problems.length - 1, "more problem")}` : "";
  return fileError(
    first.code as ErrorCode,
    first.file,
    `${first.text}${rest}; no image of the folder can be used`,
    fix,
  );
}

/**
 * Reports images that occur twice in a split with only part of the annotations each, and images that are not listed.
 */
function imageRemarks(
  root: string,
  items: readonly SampleItem[],
  origins: readonly Origin[],
  images: readonly string[],
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
    const names = [twin, item].map(({ labels }) => ("image" in labels ? `"${labels.image}"` : ""));
    const isOther = twin.labels.file !== item.labels.file;
    const where = isOther ? `here and in ${twin.labels.file}` : "twice in this file";
    const as = names[0] === names[1] ? "" : ` (as ${names.join(" and ")})`;
    const why = "each entry treats the annotations of the other as background; merge them into one";
    const text = `the image ${file} is listed ${where}${as}: ${why}`;
    remarks.push({ level: "problem", code: "same-image", file: item.labels.file, text, files: [file] });
  }
  const left = images.filter((path) => IMAGE_PATTERN.test(path) && !listed.has(joinPath(root, path)));
  if (left.length === 0) return remarks;
  const folders = new Set([...listed].map(folderOf));
  const beside = left.some((path) => folders.has(folderOf(joinPath(root, path))));
  const what = `${counted(left.length, "image")} ${left.length === 1 ? "is" : "are"}`;
  const text = `${what} in no COCO file and left out: ${firstOf(left, 3)}`;
  return [...remarks, { level: beside ? "warning" : "note", code: "left-out", file: root, text }];
}

const fileOf = ({ image }: SampleItem): string => image[0]?.file ?? "";

/**
 * Background and the categories of all files, merged by name: ordered by id as in the first file, followed by those
 * that only later files have.
 */
function classNames(root: string, files: readonly CocoFile[], wanted: readonly string[] | undefined): string[] {
  const known = files.flatMap(({ categories }) => {
    return [...categories].sort((a, b) => compareIds(a.id, b.id)).map(({ name }) => name);
  });
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
  { images, annotations }: CocoFile,
  classes: readonly string[],
  paths: ReadonlyMap<CocoImage, string>,
  overlap: CocoOverlap,
): SampleItem[] {
  const instances = new Map<CocoImage, CocoInstance[]>();
  for (const { id, image, category, crowd, segmentation } of annotations) {
    const label = classes.indexOf(category?.name ?? "");
    if (image === undefined || label < 1 || segmentation === undefined) continue;
    const list = instances.get(image) ?? [];
    list.push({ ...(id === undefined ? {} : { id }), label, crowd, segmentation });
    instances.set(image, list);
  }
  return images.flatMap((entry): SampleItem[] => {
    const path = paths.get(entry);
    if (path === undefined) return [];
    const { id: _, file_name: listed, ...size } = entry;
    const about = { kind: "coco", file: joinPath(root, file), image: listed, ...size } as const;
    const image = [{ file: joinPath(root, path), as: "rgb" }] as const;
    return [
      { name: withoutExtension(path), image, labels: { ...about, overlap, instances: instances.get(entry) ?? [] } },
    ];
  });
}

export const coco: Layout<CocoOptions> = {
  what: "a COCO .json",
  recognise: hasCoco,
  open,
  options: OPTIONS,
};
