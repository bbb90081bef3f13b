import { TensorError } from "@fcn/tensor";
import { firstOf } from "@fcn/tensor/internal";
import { jsonFiles, jsonKind } from "../annotations/jsonFiles.js";
import { IMAGE_PATTERN } from "../decode/image.js";
import { fileName, joinPath, listFiles, listFolders, readJson, withoutExtension } from "../files/files.js";
import { counted } from "../files/words.js";
import { stripped } from "../folder/affixes.js";
import { readCoco } from "../layouts/coco.js";
import { LAYOUT_ROWS } from "../layouts/index.js";
import { absentParts, hasAll } from "../layouts/lists.js";

/** Why a folder cannot be read, and what can be done about it. */
export interface NearMiss {
  readonly problem: string;
  readonly fix?: string;
  /** Whether it is an unreadable file with the keys of COCO or labelme, or a pair of folders with other names. */
  readonly of?: "annotations" | "names";
}

/** The layouts that a folder without a recognised layout comes close to. */
export async function nearMisses(root: string): Promise<NearMiss[]> {
  const folders = await listFolders(root);
  const files = await listFiles(root);
  const [half, like] = [await halfLayouts(root), await likeFolders(root, folders)];
  const isNearest = like[0]?.of === "names";
  const json = await jsonProblems(root);
  // Unreadable annotations mean that no other layout was intended, so only their remedies are given.
  const broken = json.filter(({ of }) => of === "annotations");
  if (broken.length > 0 && !isNearest) return broken;
  const unread = json.filter(({ fix }) => fix !== undefined);
  return [
    ...unread,
    ...(isNearest ? [...like, ...half] : [...half, ...like]),
    ...(await splitsInside(root, folders)),
    ...mixedImages(root, files),
    ...json.filter((miss) => !unread.includes(miss)),
  ];
}

/** Layouts with some of their parts present and others missing. */
async function halfLayouts(root: string): Promise<NearMiss[]> {
  const misses: NearMiss[] = [];
  for (const [name, { parts = [], hasOtherNames }] of LAYOUT_ROWS) {
    if (hasOtherNames) continue;
    const absent = await absentParts(root, parts);
    if (absent.length === 0 || absent.length === parts.length) continue;
    const there = parts.filter((part) => !absent.includes(part));
    const problem = `it has ${firstOf(there, 4)} of the layout ${name}, but ${firstOf(absent, 4)} ${absent.length === 1 ? "is" : "are"} missing`;
    misses.push({ problem, fix: `put ${firstOf(absent, 4)} there` });
  }
  return misses;
}

/** Folder names that suggest images or masks but belong to no known layout. */
const IMAGE_FOLDERS =
  /^((train|val|test|input)_?)?(images?|imgs?|images?|photos?|jpegimages|img_dir|leftimg8bit|inputs?|rgb)$/i;
const MASK_FOLDERS =
  /^((train|val|test|output)_?)?(masks?|labels?|annotations?|gts?|ground_?truths?|segmentations?|segmentationclass(png|raw)?|ann_dir|targets?|gtfine)$/i;

async function likeFolders(root: string, folders: readonly string[]): Promise<NearMiss[]> {
  const withImages = async (pattern: RegExp, right: string): Promise<string | undefined> => {
    const named = folders.filter((name) => pattern.test(name));
    for (const name of [right, ...named].filter((name) => named.includes(name))) {
      if ((await typesIn(joinPath(root, name))).images > 0) return name;
    }
    return undefined;
  };
  const images = await withImages(IMAGE_FOLDERS, "images");
  const masks = await withImages(MASK_FOLDERS, "masks");
  if (images !== undefined && masks !== undefined) {
    const renamed = [
      [images, "images"],
      [masks, "masks"],
    ].filter(([name, right]) => name !== right);
    const fix = `rename ${renamed.map(([name, right]) => `${name}/ to ${right}/`).join(" and ")}`;
    const problem = `${images}/ and ${masks}/ look like images/ and masks/, but have other names`;
    return [{ problem, fix, of: "names" }];
  }
  const [known, missing] = images === undefined ? [masks, "images"] : [images, "masks"];
  const other = await otherAnnotations(root, folders);
  if (known === undefined) return other;
  const problem = `there is ${known}/, but ${missing}/ is missing`;
  const fix = `put ${missing === "masks" ? "the masks, PNG files with the names of their images," : "the images"} into ${missing}/`;
  return [
    { problem, fix: known === missing || known === "images" || known === "masks" ? fix : `${fix}; rename ${known}/` },
    ...other,
  ];
}

/** Reports folders that should hold masks and hold something else. */
async function otherAnnotations(root: string, folders: readonly string[]): Promise<NearMiss[]> {
  const misses: NearMiss[] = [];
  for (const name of folders.filter((folder) => MASK_FOLDERS.test(folder))) {
    const { images, others } = await typesIn(joinPath(root, name));
    if (images > 0 || others.length === 0 || others.every((type) => type === ".json")) continue;
    const fix = "export the labels as masks (PNG), as COCO with polygons or run lengths, or as labelme files";
    misses.push({ problem: `${name}/ holds ${firstOf(others, 3)} files and no masks`, fix });
  }
  return misses;
}

async function typesIn(folder: string): Promise<{ images: number; others: string[] }> {
  const files = await listFiles(folder, { recursive: true });
  const others = files
    .filter((file) => !IMAGE_PATTERN.test(file))
    .map((file) => file.slice(withoutExtension(file).length));
  return { images: files.length - others.length, others: [...new Set(others.filter((type) => type !== ""))].sort() };
}

/** Reports folders that hold a known layout inside, such as `train/images` and `train/masks`. */
async function splitsInside(root: string, folders: readonly string[]): Promise<NearMiss[]> {
  const whole: string[] = [];
  for (const name of folders) {
    if (await hasAll(joinPath(root, name), ["images", "masks"])) whole.push(name);
  }
  const [first] = whole;
  if (first === undefined) return [];
  const list = whole.map((name) => `${name}/`).join(", ");
  const problem = `images/ and masks/ are inside ${list}`;
  if (whole.length === 1) return [{ problem, fix: `name the folder ${joinPath(root, first)}` }];
  const moves = whole.map((name) => `${name}/images to images/${name} and ${name}/masks to masks/${name}`);
  return [{ problem, fix: `move ${moves.join(", ")}` }];
}

/** Reports images directly in the folder, with or without masks among them. */
function mixedImages(root: string, files: readonly string[]): NearMiss[] {
  const images = files.filter((file) => IMAGE_PATTERN.test(file));
  if (images.length === 0) return [];
  const names = new Set(images.flatMap((file) => namesOf(withoutExtension(file))));
  const masks = images.filter((file) => stripped(withoutExtension(file), "mask").some(({ key }) => names.has(key)));
  const [first] = masks;
  if (first === undefined) {
    const what = `${counted(images.length, "image")} in ${fileName(root)}/ itself`;
    return [{ problem: `${what} have neither masks/ nor .json files` }];
  }
  const problem = `images and masks (such as ${first}) are in one folder`;
  return [{ problem, fix: "move the images into images/ and the masks into masks/" }];
}

const namesOf = (name: string): string[] => [name, ...stripped(name, "image").map(({ key }) => key)];

/** At most this many JSON files are examined, because each may be large. */
const MOST_JSON = 20;
const MOST_TOLD = 3;

/** Reports JSON files that are unreadable, or that belong to neither COCO nor labelme. */
async function jsonProblems(root: string): Promise<NearMiss[]> {
  const files = await jsonFiles(root);
  const [unread, others]: [NearMiss[], NearMiss[]] = [[], []];
  for (const file of files.slice(0, MOST_JSON)) {
    try {
      await readCoco(joinPath(root, file));
      const keys = Object.keys((await readJson(joinPath(root, file))) ?? {});
      others.push({ problem: `${file} is neither a COCO nor a labelme file: it has ${keysText(keys)}` });
    } catch (error) {
      if (!(error instanceof TensorError)) throw error;
      const isKnown = (await jsonKind(root, file).catch(() => "other")) !== "other";
      const miss = { problem: error.message, fix: error.commandFix ?? error.fix };
      unread.push(isKnown ? { ...miss, of: "annotations" } : miss);
    }
  }
  const told = [...unread, ...others].slice(0, MOST_TOLD);
  const more = files.length - told.length;
  return more > 0 && told.length > 0 ? [...told, { problem: `and ${more} more .json` }] : told;
}

const keysText = (keys: readonly string[]): string =>
  keys.length === 0
    ? "nothing in it"
    : /^\d+$/.test(keys[0] as string)
      ? "a list in it"
      : `the keys ${firstOf(keys, 5)}`;
