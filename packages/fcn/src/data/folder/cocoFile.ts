import type { TensorError } from "@fcn/tensor";
import type { DataRemark } from "../dataset.js";
import { damagedFile, fileError, MOST_PIXELS } from "../errors.js";
import type { CocoInstance } from "../shapes/coco.js";

/** What is used of a COCO annotation file. */
export interface CocoFile {
  readonly images: readonly CocoImage[];
  readonly annotations: readonly CocoAnnotation[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
}

interface CocoImage {
  readonly id: number;
  readonly file_name: string;
  readonly height: number;
  readonly width: number;
}

interface CocoAnnotation {
  readonly id: number;
  readonly image_id: number;
  readonly category_id: number;
  readonly iscrowd: number;
  /** Absent for a box without a mask. */
  readonly segmentation?: CocoInstance["segmentation"];
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});
const isNumbers = (value: unknown): value is number[] => Array.isArray(value) && value.every(Number.isFinite);

const LISTS = ["images", "annotations", "categories"];

/** Whether a JSON value has the three lists of a COCO file. */
export function isCoco(json: unknown): boolean {
  return absentLists(json).length === 0;
}

/** The lists of a COCO file that a JSON value does not have. */
export function absentLists(json: unknown): string[] {
  return LISTS.filter((name) => !Array.isArray(fieldsOf(json)[name]));
}

/** Checks a COCO file. Throws a TensorError that names the file and the entry which is not as it should be. */
export function parseCoco(file: string, json: unknown): CocoFile {
  const { images, annotations, categories } = json as Readonly<Record<string, readonly unknown[]>>;
  const fail = (list: string, index: number, problem: string): TensorError =>
    damagedFile(file, `entry ${index} of its ${list} ${problem}`);
  const parsed = {
    images: (images ?? []).map((entry, i) => {
      const { id, file_name, height, width } = fieldsOf(entry) as unknown as CocoImage;
      const isSized = height >= 1 && width >= 1 && height * width <= MOST_PIXELS;
      if (typeof file_name !== "string" || !isSized) throw fail("images", i, "has no file_name, height and width");
      return { id, file_name, height, width };
    }),
    annotations: (annotations ?? []).map((entry, i) => {
      const { id, image_id, category_id, iscrowd, segmentation } = fieldsOf(entry);
      const shape = parseSegmentation(segmentation);
      if (shape === null) {
        const problem = `(id ${id}, image_id ${image_id}) has a segmentation that is neither polygons nor run lengths`;
        throw fail("annotations", i, problem);
      }
      const numbers = { id: Number(id), image_id: Number(image_id), category_id: Number(category_id) };
      const about = { ...numbers, iscrowd: Number(iscrowd ?? 0) };
      return shape === undefined ? about : { ...about, segmentation: shape };
    }),
    categories: (categories ?? []).map((entry, i) => {
      const { id, name } = fieldsOf(entry);
      if (typeof name !== "string") throw fail("categories", i, "has no name");
      return { id: Number(id), name };
    }),
  };
  refuseTwins(file, "images", parsed.images, ({ file_name }) => file_name);
  refuseTwins(file, "categories", parsed.categories, ({ name }) => name);
  return parsed;
}

/** Annotations name images and categories by id: two of one id would share them. */
function refuseTwins<T extends { readonly id: number }>(
  file: string,
  list: string,
  entries: readonly T[],
  nameOf: (entry: T) => string,
): void {
  const first = new Map<number, T>();
  for (const entry of entries) {
    const twin = first.get(entry.id);
    if (twin !== undefined) {
      const problem = `two of its ${list} have the id ${entry.id}: "${nameOf(twin)}" and "${nameOf(entry)}"`;
      const fix = "give each an id of its own, and the annotations with it; files that were merged need new ids";
      throw fileError("duplicate-id", file, problem, fix);
    }
    first.set(entry.id, entry);
  }
}

/** Undefined where there is none, null where it is something else. */
function parseSegmentation(value: unknown): CocoInstance["segmentation"] | undefined | null {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) {
    if (value.length === 0) return undefined;
    return value.every(isNumbers) ? value : null;
  }
  const { size, counts } = fieldsOf(value);
  const isSound = isNumbers(size) && size.length === 2 && (typeof counts === "string" || isNumbers(counts));
  return isSound ? { size: size as unknown as readonly [number, number], counts: counts as string } : null;
}

/**
 * Tells of the annotations that paint nothing, with their counts: those of pictures or categories that the file does not list, and boxes without a
 * mask. Where categories were `chosen` all others are background by choice.
 */
export function strayAnnotations(
  file: string,
  { images, annotations, categories }: CocoFile,
  chosen: boolean,
): DataRemark[] {
  const pictures = new Set(images.map(({ id }) => id));
  const known = new Set(categories.map(({ id }) => id));
  const tell = (
    level: DataRemark["level"],
    code: string,
    stray: readonly CocoAnnotation[],
    text: (ids: string) => string,
    idOf: (annotation: CocoAnnotation) => number,
  ): DataRemark[] => {
    if (stray.length === 0) return [];
    const ids = [...new Set(stray.map(idOf))];
    const listed = ids.slice(0, 5).join(", ") + (ids.length > 5 ? ", ..." : "");
    return [{ level, code, file, text: `${counted(stray.length)} ${text(listed)}` }];
  };
  const own = annotations.filter(({ image_id }) => pictures.has(image_id));
  return [
    ...tell(
      chosen ? "warning" : "problem",
      "unknown-category",
      own.filter(({ category_id }) => !known.has(category_id)),
      (ids) => `a category_id that its categories do not list (${ids}): their pixels count as background`,
      ({ category_id }) => category_id,
    ),
    ...tell(
      "warning",
      "unknown-image",
      annotations.filter(({ image_id }) => !pictures.has(image_id)),
      (ids) => `an image_id that its images do not list (${ids}): they paint nothing`,
      ({ image_id }) => image_id,
    ),
    ...tell(
      "warning",
      "box-without-mask",
      own.filter(({ category_id, segmentation }) => known.has(category_id) && segmentation === undefined),
      (ids) => `no segmentation (ids ${ids}): their pixels count as background`,
      ({ id }) => id,
    ),
  ];
}

const counted = (count: number): string => (count === 1 ? "1 annotation has" : `${count} annotations have`);
