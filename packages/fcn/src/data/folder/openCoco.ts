import { type DataRemark, fileDataset, type OpenedData, type SegmentationDataset } from "../dataset.js";
import { damagedFile, fileError } from "../errors.js";
import { fileName, joinPath, listFiles, readJson, sameText, withoutExtension } from "../files.js";
import type { SampleItem } from "../item.js";
import type { CocoInstance, CocoOverlap } from "../shapes/coco.js";
import { type CocoFile, isCoco, parseCoco } from "./cocoFile.js";
import { defaultPalette } from "./colours.js";
import { divide } from "./divide.js";
import { type SplitOptions, splitName } from "./splits.js";

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

/**
 * Opens a folder with COCO annotations. Classes are background and the categories; a file whose name or folder tells a split is that split,
 * and one file alone is divided as other folders are.
 */
export async function openCoco(root: string, options: SplitOptions & CocoOptions): Promise<OpenedData> {
  const remarks: DataRemark[] = [];
  const pictures = await listFiles(root, { recursive: true });
  const read: { file: string; json: CocoFile }[] = [];
  for (const file of await cocoFiles(root)) {
    const json = await readJson(joinPath(root, file));
    if (isCoco(json)) read.push({ file, json: parseCoco(joinPath(root, file), json) });
  }
  const classes = classNames(
    root,
    read.map(({ json }) => json),
    options.categories,
  );
  const palette = defaultPalette(classes.length);
  const bySplit = new Map<string, SampleItem[]>();
  for (const { file, json } of read) {
    const split = splitOf(file);
    const items = itemsOf(root, file, json, classes, pictures, options.overlap ?? "smaller", remarks);
    bySplit.set(split, [...(bySplit.get(split) ?? []), ...items]);
  }
  const common = { root, layout: "coco", classes, palette };
  if (bySplit.has("train") && bySplit.has("val")) {
    const splits = [...bySplit].map(([name, items]): [string, SegmentationDataset] => [
      name,
      fileDataset(items, { classes, palette }),
    ]);
    return { ...common, splits: Object.fromEntries(splits), remarks };
  }
  const { splits, remarks: about } = await divide(root, [...bySplit.values()].flat(), { classes, palette }, options);
  return { ...common, splits, remarks: [...about, ...remarks] };
}

function splitOf(file: string): string {
  const words = withoutExtension(file).split(/[/_\-.]|(?<=[a-z])(?=\d)/i);
  return words.map(splitName).find((word) => ["train", "val", "test"].includes(word)) ?? "all";
}

function classNames(root: string, files: readonly CocoFile[], wanted: readonly string[] | undefined): string[] {
  const byId = new Map(files.flatMap(({ categories }) => categories.map(({ id, name }) => [id, name] as const)));
  const known = [...byId].sort(([a], [b]) => a - b).map(([, name]) => name);
  const absent = wanted?.find((name) => !known.includes(name));
  if (absent !== undefined) {
    const fix = `choose from ${known.slice(0, 30).join(", ")}`;
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
  for (const { image_id, category_id, iscrowd, segmentation } of annotations) {
    const label = classes.indexOf(names.get(category_id) ?? "");
    if (label < 1 || segmentation === undefined) continue;
    const list = instances.get(image_id) ?? [];
    list.push({ label, crowd: iscrowd === 1, segmentation });
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
    const labels = { kind: "coco", file: joinPath(root, file), height, width, overlap } as const;
    const image = [{ file: joinPath(root, picture), as: "rgb" }] as const;
    return [{ name: withoutExtension(picture), image, labels: { ...labels, instances: instances.get(id) ?? [] } }];
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
