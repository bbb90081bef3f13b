import type { TensorError } from "@fcn/tensor";
import { damagedFile } from "../errors.js";
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
  readonly image_id: number;
  readonly category_id: number;
  readonly iscrowd: number;
  /** Absent for a box without a mask. */
  readonly segmentation?: CocoInstance["segmentation"];
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});
const isNumbers = (value: unknown): value is number[] => Array.isArray(value) && value.every(Number.isFinite);
const MOST_PIXELS = 16383 ** 2;

/** Whether a JSON value has the three lists of a COCO file. */
export function isCoco(json: unknown): boolean {
  const { images, annotations, categories } = fieldsOf(json);
  return [images, annotations, categories].every(Array.isArray);
}

/** Checks a COCO file. Throws a TensorError that names the file and the entry which is not as it should be. */
export function parseCoco(file: string, json: unknown): CocoFile {
  const { images, annotations, categories } = json as Readonly<Record<string, readonly unknown[]>>;
  const fail = (list: string, index: number, problem: string): TensorError =>
    damagedFile(file, `entry ${index} of its ${list} ${problem}`);
  return {
    images: (images ?? []).map((entry, i) => {
      const { id, file_name, height, width } = fieldsOf(entry) as unknown as CocoImage;
      const isSized = height >= 1 && width >= 1 && height * width <= MOST_PIXELS;
      if (typeof file_name !== "string" || !isSized) throw fail("images", i, "has no file_name, height and width");
      return { id, file_name, height, width };
    }),
    annotations: (annotations ?? []).map((entry, i) => {
      const { image_id, category_id, iscrowd, segmentation } = fieldsOf(entry);
      const shape = parseSegmentation(segmentation);
      if (shape === null) throw fail("annotations", i, "has a segmentation that is neither polygons nor run lengths");
      const about = { image_id: Number(image_id), category_id: Number(category_id), iscrowd: Number(iscrowd ?? 0) };
      return shape === undefined ? about : { ...about, segmentation: shape };
    }),
    categories: (categories ?? []).map((entry, i) => {
      const { id, name } = fieldsOf(entry);
      if (typeof name !== "string") throw fail("categories", i, "has no name");
      return { id: Number(id), name };
    }),
  };
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
