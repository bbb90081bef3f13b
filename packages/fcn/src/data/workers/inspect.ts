import { nodeModule } from "@fcn/tensor/internal";
import { VOID_LABEL } from "../../labels/sample.js";
import { unlessAway } from "../files/errors.js";
import { readBytes } from "../files/files.js";
import { type DataRemark, remarkOf, withFix } from "../files/remarks.js";
import {
  type LabelSource,
  type LoadedImage,
  loadImage,
  loadLabels,
  type SampleItem,
  sameSize,
  sizeProblem,
  strayProblem,
} from "../samples/item.js";
import { countLabels, isCurrent, type KnownCounts, type LabelCounts } from "../samples/labelCounts.js";
import { fingerprintOf } from "./fingerprint.js";
import { type ImageLevels, imageLevels, levelRemarks } from "./levels.js";

export interface InspectTask {
  readonly item: SampleItem;
  readonly numClasses: number;
  /** Known counts of the labels; labels are decoded if they are absent or the file has changed. */
  readonly known?: KnownCounts | undefined;
}

/** The findings about the files of one sample. */
export interface Inspection {
  readonly name: string;
  readonly remarks: readonly DataRemark[];
  /** Number of pixels of each class; all 0 if the labels cannot be read. */
  readonly counts: readonly number[];
  readonly voidPixels: number;
  /** Height of the image; 0 if it cannot be read. */
  readonly height: number;
  readonly width: number;
  /** SHA-256 of the bytes of the image's files; "" if they cannot be read. */
  readonly hash: string;
  /** The image's stored values; absent if it cannot be read. */
  readonly levels?: ImageLevels;
  /** A thumbnail for finding images that look the same; empty if the image cannot be read. */
  readonly thumbnail: readonly number[];
}

/**
 * Inspects all files of a sample and turns every fault into a remark (Node). Throws `no-network` where they cannot be
 * reached, which says nothing of them.
 */
export async function inspectItem({ item, numClasses, known }: InspectTask): Promise<Inspection> {
  const remarks: DataRemark[] = [];
  const found = new Map<string, Promise<Uint8Array>>();
  const read = (file: string): Promise<Uint8Array> => {
    const bytes = found.get(file) ?? readBytes(file);
    found.set(file, bytes);
    return bytes;
  };
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      remarks.push(remarkOf(error, filesOf(item)));
      return unlessAway(undefined)(error);
    }
  };
  const image = await attempt(() => loadImage(item.image, read));
  const plane = await attempt(() => checkedLabels(item, image, item.labels, remarks, known));
  for (const source of Object.values(item.more ?? {})) {
    await attempt(() => checkedLabels(item, image, source, remarks));
  }
  if (image && plane) remarks.push(...turnWarnings(item, image, plane));
  const { counts, voidPixels } = byClass(plane?.pixels ?? [], numClasses);
  if (plane && voidPixels === plane.height * plane.width && !plane.hasStrays) {
    remarks.push({ level: "warning", code: "all-void", file: item.labels.file, text: "all its pixels are void" });
  }
  const levels = image && imageLevels(image);
  if (image && levels) remarks.push(...levelRemarks(image, levels, item.image[0]?.file ?? ""));
  const { height = 0, width = 0 } = image?.image ?? {};
  const thumbnail = image ? fingerprintOf(image.image) : [];
  const about = { name: item.name, remarks, counts, voidPixels, height, width, ...(levels ? { levels } : {}) };
  return { ...about, hash: await hashOf(item, read), thumbnail };
}

async function checkedLabels(
  item: SampleItem,
  image: LoadedImage | undefined,
  source: LabelSource,
  remarks: DataRemark[],
  known?: KnownCounts,
): Promise<LabelCounts & { readonly hasStrays: boolean }> {
  const isKnown = known !== undefined && (await isCurrent(source.file, known));
  const plane = isKnown ? undefined : await loadLabels(source, image?.image);
  const counts = plane ? countLabels(plane) : (known as KnownCounts);
  const problems = [image && sizeProblem(item, image, source, counts), plane && strayProblem(source, plane)];
  for (const problem of problems) if (problem) remarks.push(remarkOf(problem, filesOf(item)));
  for (const { level, code, problem, fix } of plane?.skipped ?? []) {
    remarks.push({ level, code, file: source.file, ...withFix(problem, fix) });
  }
  return { ...counts, hasStrays: plane !== undefined && plane.strays.length > 0 };
}

/** Labels that fit the image both as stored and upright may have been drawn on either, as may labels without a size. */
function turnWarnings(
  { image: parts, labels }: SampleItem,
  { image, turnedFrom }: LoadedImage,
  plane: { readonly height: number; readonly width: number },
): DataRemark[] {
  if (turnedFrom === undefined || !sameSize(image, plane)) return [];
  const hasSize = labels.kind !== "coco" || (labels.height !== undefined && labels.width !== undefined);
  if (hasSize && !sameSize(turnedFrom, plane)) return [];
  const { orientation } = turnedFrom;
  const change = [2, 4, 5, 7].includes(orientation) ? "mirrored" : "turned";
  const text = `it is ${change} by its EXIF tag (orientation ${orientation}): its mask must be drawn on the upright image`;
  return [{ level: "warning", code: "exif-orientation", file: parts[0]?.file ?? "", text }];
}

export function filesOf({ image, labels, more = {} }: SampleItem): string[] {
  return [...image.map(({ file }) => file), labels.file, ...Object.values(more).map(({ file }) => file)];
}

function byClass(pixels: LabelCounts["pixels"], numClasses: number): { counts: number[]; voidPixels: number } {
  const byLabel = new Map(pixels);
  const counts = Array.from({ length: numClasses }, (_, label) => byLabel.get(label) ?? 0);
  return { counts, voidPixels: byLabel.get(VOID_LABEL) ?? 0 };
}

async function hashOf({ image }: SampleItem, read: typeof readBytes): Promise<string> {
  const { createHash } = nodeModule("check", "node:crypto");
  const hash = createHash("sha256");
  try {
    for (const { file } of image) hash.update(await read(file));
    return hash.digest("hex");
  } catch {
    // The failure to read the file is reported when the image is loaded.
    return "";
  }
}
