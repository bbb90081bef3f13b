import type { TensorError } from "@fcn/tensor";
import { firstOf } from "@fcn/tensor/internal";
import { fileError, MOST_PIXELS } from "../files/errors.js";
import { type StatedSize, shownValue, statedSize } from "../files/numbers.js";
import type { DataRemark } from "../files/remarks.js";
import { counted } from "../files/words.js";
import { type CocoId, IdTable, isId, shownId } from "./cocoIds.js";

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
  const remarks = new EntryRemarks(file);
  const images = withoutTwins(file, "images", parseImages(lists.images ?? [], remarks), ({ file_name }) => file_name);
  const categories = withoutTwins(
    file,
    "categories",
    parseCategories(file, lists.categories ?? []),
    ({ name }) => name,
  );
  const annotations = parseAnnotations(lists.annotations ?? [], images, categories, remarks);
  return { images, annotations, categories, remarks: [...remarks.all(), ...largeIds(file, images)] };
}

const NO_ID = "that is a whole number or a text";

function parseImages(entries: readonly unknown[], remarks: EntryRemarks): CocoImage[] {
  const fix = "correct the entries, or remove them with their annotations";
  return entries.flatMap((entry, i): CocoImage[] => {
    const { id, file_name, height, width } = fieldsOf(entry);
    const size = statedSize(height, width, MOST_PIXELS);
    if (typeof file_name !== "string" || file_name.trim() === "") {
      remarks.add("images", "no file_name", fix, i, shownValue(file_name));
    } else if (!isId(id)) remarks.add("images", `no id ${NO_ID}`, fix, i, `"${file_name}": ${shownValue(id)}`);
    else if (size === undefined) {
      const problem = "a height and width that are no size of an image in pixels";
      const sides = `height ${shownValue(height)}, width ${shownValue(width)}`;
      remarks.add("images", problem, fix, i, `"${file_name}": ${sides}`);
    } else return [{ id, file_name, ...size }];
    return [];
  });
}

function parseCategories(file: string, entries: readonly unknown[]): CocoCategory[] {
  return entries.map((entry, i) => {
    const { id, name } = fieldsOf(entry);
    const fix = 'write "id" and "name" of the category there, or remove it with its annotations';
    const fail = (problem: string): TensorError =>
      fileError("corrupt-file", file, `entry ${i} of its categories ${problem}`, fix);
    if (typeof name !== "string" || name.trim() === "") throw fail("has no name");
    if (!isId(id)) throw fail(`("${name}") has the id ${shownValue(id)}, but an id is a whole number or a text`);
    return { id, name };
  });
}

function parseAnnotations(
  entries: readonly unknown[],
  images: readonly CocoImage[],
  categories: readonly CocoCategory[],
  remarks: EntryRemarks,
): CocoAnnotation[] {
  const fix = "correct the entries, or remove them";
  const listed = new IdTable(images, ({ id }) => id);
  const names = new IdTable(categories, ({ id }) => id);
  return entries.flatMap((entry, i): CocoAnnotation[] => {
    const { id, image_id, category_id, iscrowd, segmentation } = fieldsOf(entry);
    const crowd = crowdOf(iscrowd);
    if (!isId(image_id)) remarks.add("annotations", `no image_id ${NO_ID}`, fix, i, shownValue(image_id));
    else if (!isId(category_id)) remarks.add("annotations", `no category_id ${NO_ID}`, fix, i, shownValue(category_id));
    else if (crowd === undefined) {
      remarks.add("annotations", "an iscrowd that is neither 0 nor 1", fix, i, shownValue(iscrowd));
    } else {
      const [image, category] = [listed.find(image_id), names.find(category_id)];
      if (image?.isOther) remarks.match("image", image_id);
      if (category?.isOther) remarks.match("category", category_id);
      const found = { imageId: image_id, categoryId: category_id, image: image?.entry, category: category?.entry };
      const shape = isAbsent(segmentation) ? {} : { segmentation };
      return [{ ...(isId(id) ? { id } : {}), ...found, crowd, ...shape }];
    }
    return [];
  });
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

/** Collects what is wrong with entries, in one remark for each fault. */
class EntryRemarks {
  readonly #faults = new Map<string, { list: string; problem: string; fix: string; entries: [number, string][] }>();
  readonly #matched = new Map<string, { count: number; example: CocoId }>();

  constructor(private readonly file: string) {}

  add(list: string, problem: string, fix: string, index: number, shown: string): void {
    const fault = this.#faults.get(`${list} ${problem}`) ?? { list, problem, fix, entries: [] };
    fault.entries.push([index, shown]);
    this.#faults.set(`${list} ${problem}`, fault);
  }

  /** Records that an id names an entry whose id has the other type. */
  match(what: "image" | "category", example: CocoId): void {
    const known = this.#matched.get(what);
    this.#matched.set(what, { count: (known?.count ?? 0) + 1, example: known?.example ?? example });
  }

  all(): DataRemark[] {
    const { file } = this;
    const faults = [...this.#faults.values()].map(({ list, problem, fix, entries }): DataRemark => {
      const [first] = entries;
      const listed = firstOf(
        entries.map(([index, shown]) => `${index} (${shown})`),
        5,
      );
      const many = `${entries.length} entries of its ${list} have ${problem}: ${listed}`;
      const what = entries.length > 1 ? many : `entry ${first?.[0]} of its ${list} has ${problem} (${first?.[1]})`;
      return { level: "problem", code: "bad-entry", file, text: `${what}; entries count from 0; ${fix}` };
    });
    const matched = [...this.#matched].map(([what, { count, example }]): DataRemark => {
      const [own, other] = typeof example === "string" ? ["text", "numbers"] : ["a number", "text"];
      const many = `${counted(count, "annotation")} ${count === 1 ? "has" : "have"}`;
      const where = `where the ids of the file are ${other}: matched by their digits`;
      const text = `${many} the ${what}_id as ${own}, such as ${shownId(example)}, ${where}`;
      return { level: "warning", code: "id-types", file, text };
    });
    return [...faults, ...matched];
  }
}

/** JSON numbers beyond 2^53 are rounded on reading, which makes neighbouring ids equal. */
function largeIds(file: string, images: readonly CocoImage[]): DataRemark[] {
  const large = images.find(({ id }) => typeof id === "number" && !Number.isSafeInteger(id));
  if (large === undefined) return [];
  const why = "which are rounded when they are read, so that neighbours become one; write them as text";
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
