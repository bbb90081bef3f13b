import type { TensorError } from "@fcn/tensor";
import { firstOf } from "@fcn/tensor/internal";
import { fileError, MOST_PIXELS } from "../files/errors.js";
import { type StatedSize, shownValue, statedSize } from "../files/numbers.js";
import type { DataRemark } from "../files/remarks.js";
import { counted } from "../files/words.js";
import { type CocoId, idFinder, isId, shownId } from "./cocoIds.js";

/** The parts of a COCO annotation file that are used here. */
export interface CocoFile {
  readonly images: readonly CocoImage[];
  readonly annotations: readonly CocoAnnotation[];
  readonly categories: readonly CocoCategory[];
  /** Entries that were left out of the lists because they cannot be used, and doubts about ids. */
  readonly remarks: readonly DataRemark[];
}

export interface CocoImage extends StatedSize {
  readonly id: CocoId;
  readonly file_name: string;
}

export interface CocoCategory {
  readonly id: CocoId;
  readonly name: string;
}

export interface CocoAnnotation {
  /** Only used in messages. */
  readonly id?: CocoId;
  readonly imageId: CocoId;
  readonly categoryId: CocoId;
  /** Undefined if the file does not list it. */
  readonly image: CocoImage | undefined;
  readonly category: CocoCategory | undefined;
  readonly crowd: boolean;
  /** As stored in the file; absent for a box without a mask. */
  readonly segmentation?: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});

const LISTS = ["images", "annotations", "categories"];

/** Whether a JSON value has the three lists of a COCO file. */
export function isCoco(json: unknown): boolean {
  return absentLists(json).length === 0;
}

/** The lists of a COCO file that a JSON value lacks. */
export function absentLists(json: unknown): string[] {
  return LISTS.filter((name) => !Array.isArray(fieldsOf(json)[name]));
}

/**
 * Checks a COCO file. An image or annotation that cannot be used is left out and named in a remark. Throws a
 * TensorError that names the file if a category cannot be used, or if two different images or categories share an id.
 */
export function parseCoco(file: string, json: unknown): CocoFile {
  const lists = json as Readonly<Record<string, readonly unknown[]>>;
  const remarks: DataRemark[] = [];
  const usable = <T extends object>(list: string, fix: string, parse: (entry: unknown) => T | Fault): T[] => {
    const parsed = (lists[list] ?? []).map(parse);
    remarks.push(...badEntries(file, list, fix, parsed));
    return parsed.filter((entry): entry is T => !isFault(entry));
  };
  const found = usable("images", "correct the entries, or remove them with their annotations", parseImage);
  const images = withoutTwins(file, "images", found, ({ file_name }) => file_name);
  const named = (lists.categories ?? []).map((entry, i) => parseCategory(file, entry, i));
  const categories = withoutTwins(file, "categories", named, ({ name }) => name);
  const parseAnnotation = annotationParser(images, categories);
  const annotations = usable("annotations", "correct the entries, or remove them", parseAnnotation);
  return {
    images,
    annotations,
    categories,
    remarks: [...remarks, ...otherTypes(file, annotations), ...largeIds(file, images)],
  };
}

/** What is wrong with an entry of a list: it has this problem, and this value. */
interface Fault {
  readonly problem: string;
  readonly shown: string;
}

const isFault = (entry: object): entry is Fault => "problem" in entry;

const NO_ID = "that is a whole number or a text";

function parseImage(entry: unknown): CocoImage | Fault {
  const { id, file_name, height, width } = fieldsOf(entry);
  const size = statedSize(height, width, MOST_PIXELS);
  if (typeof file_name !== "string" || file_name.trim() === "") {
    return { problem: "no file_name", shown: shownValue(file_name) };
  }
  if (!isId(id)) return { problem: `no id ${NO_ID}`, shown: `"${file_name}": ${shownValue(id)}` };
  if (size !== undefined) return { id, file_name, ...size };
  const sides = `height ${shownValue(height)}, width ${shownValue(width)}`;
  return {
    problem: "a height and width that are not the size of an image in pixels",
    shown: `"${file_name}": ${sides}`,
  };
}

function parseCategory(file: string, entry: unknown, i: number): CocoCategory {
  const { id, name } = fieldsOf(entry);
  const fix = 'write "id" and "name" of the category there, or remove it with its annotations';
  const fail = (problem: string): TensorError =>
    fileError("corrupt-file", file, `entry ${i} of its categories ${problem}`, fix);
  if (typeof name !== "string" || name.trim() === "") throw fail("has no name");
  if (!isId(id)) throw fail(`("${name}") has the id ${shownValue(id)}, but an id is a whole number or a text`);
  return { id, name };
}

function annotationParser(images: readonly CocoImage[], categories: readonly CocoCategory[]) {
  const [imageOf, categoryOf] = [idFinder(images), idFinder(categories)];
  return (entry: unknown): CocoAnnotation | Fault => {
    const { id, image_id, category_id, iscrowd, segmentation } = fieldsOf(entry);
    const crowd = crowdOf(iscrowd);
    if (!isId(image_id)) return { problem: `no image_id ${NO_ID}`, shown: shownValue(image_id) };
    if (!isId(category_id)) return { problem: `no category_id ${NO_ID}`, shown: shownValue(category_id) };
    if (crowd === undefined) return { problem: "an iscrowd that is neither 0 nor 1", shown: shownValue(iscrowd) };
    const about = { imageId: image_id, categoryId: category_id, crowd };
    const found = { image: imageOf(image_id), category: categoryOf(category_id) };
    const shape = isAbsent(segmentation) ? {} : { segmentation };
    return { ...(isId(id) ? { id } : {}), ...about, ...found, ...shape };
  };
}

const YES: readonly unknown[] = [1, true, "1", "true"];
const NO: readonly unknown[] = [0, false, "0", "false"];

/** Undefined for anything that means neither yes nor no. */
function crowdOf(value: unknown): boolean | undefined {
  if (value === undefined || value === null || value === "") return false;
  const flag = typeof value === "string" ? value.toLowerCase() : value;
  if (YES.includes(flag)) return true;
  return NO.includes(flag) ? false : undefined;
}

/** For a box without a mask, tools write either no segmentation or one without any numbers. */
function isAbsent(segmentation: unknown): boolean {
  if (!Array.isArray(segmentation)) return isNothing(segmentation);
  return segmentation.every((piece) => isNothing(piece) || (Array.isArray(piece) && piece.every(isNothing)));
}

const isNothing = (value: unknown): boolean => value === undefined || value === null;

/** A remark about each problem that entries of a list have. */
function badEntries(file: string, list: string, fix: string, parsed: readonly object[]): DataRemark[] {
  const places = new Map<string, [index: number, shown: string][]>();
  for (const [i, entry] of parsed.entries()) {
    if (!isFault(entry)) continue;
    const { problem, shown } = entry;
    if (places.get(problem)?.push([i, shown]) === undefined) places.set(problem, [[i, shown]]);
  }
  return [...places].map(([problem, entries]) => {
    const listed = entries.map(([i, shown]) => `${i} (${shown})`);
    const many = `${entries.length} entries of its ${list} have ${problem}: ${firstOf(listed, 5)}`;
    const [[i, shown] = []] = entries;
    const what = entries.length > 1 ? many : `entry ${i} of its ${list} has ${problem} (${shown})`;
    return { level: "problem", code: "bad-entry", file, text: `${what}; entries count from 0; ${fix}` };
  });
}

/** Warns of annotations that name an image or a category by an id of the other type. */
function otherTypes(file: string, annotations: readonly CocoAnnotation[]): DataRemark[] {
  const warn = (what: string, named: readonly (readonly [id: CocoId, found: CocoId | undefined])[]): DataRemark[] => {
    const others = named.filter(([id, found]) => found !== undefined && found !== id);
    const [[example] = []] = others;
    if (example === undefined) return [];
    const [own, other] = typeof example === "string" ? ["text", "numbers"] : ["a number", "text"];
    const many = `${counted(others.length, "annotation")} ${others.length === 1 ? "has" : "have"}`;
    const where = `where the ids of the file are ${other}: matched by their digits`;
    const text = `${many} the ${what}_id as ${own}, such as ${shownId(example)}, ${where}`;
    return [{ level: "warning", code: "id-types", file, text }];
  };
  return [
    ...warn(
      "image",
      annotations.map(({ imageId, image }) => [imageId, image?.id] as const),
    ),
    ...warn(
      "category",
      annotations.map(({ categoryId, category }) => [categoryId, category?.id] as const),
    ),
  ];
}

/** JSON numbers beyond 2^53 are rounded on reading, which makes neighbouring ids equal. */
function largeIds(file: string, images: readonly CocoImage[]): DataRemark[] {
  const large = images.find(({ id }) => typeof id === "number" && !Number.isSafeInteger(id));
  if (large === undefined) return [];
  const why = "which are rounded when they are read, so that neighbouring ids become equal; write them as text";
  const text = `its images have ids above ${Number.MAX_SAFE_INTEGER} ("${large.file_name}"), ${why}`;
  return [{ level: "warning", code: "large-ids", file, text }];
}

/**
 * Drops entries that repeat another exactly. Annotations refer to images and categories by id, so two different entries
 * with one id would share annotations; they are refused.
 */
function withoutTwins<T extends { readonly id: CocoId }>(
  file: string,
  list: string,
  entries: readonly T[],
  nameOf: (entry: T) => string,
): T[] {
  const first = new Map<CocoId, T>();
  for (const entry of entries) {
    const twin = first.get(entry.id);
    if (twin !== undefined && JSON.stringify(twin) !== JSON.stringify(entry)) {
      const problem = `two of its ${list} have the id ${shownId(entry.id)}: "${nameOf(twin)}" and "${nameOf(entry)}"`;
      const fix = "give each an id of its own, and the annotations with it; files that were merged need new ids";
      throw fileError("duplicate-id", file, problem, fix);
    }
    if (twin === undefined) first.set(entry.id, entry);
  }
  return [...first.values()];
}
