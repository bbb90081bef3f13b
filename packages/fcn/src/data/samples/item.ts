import type { TensorError } from "@fcn/tensor";
import { firstOf } from "@fcn/tensor/internal";
import { type RasterImage, type SegmentationSample, VOID_LABEL } from "../../labels/sample.js";
import { type DecodedImage, decodeImage } from "../decode/image.js";
import { decodeMask } from "../decode/mask.js";
import { type PaintSize, partProblem } from "../decode/parts.js";
import type { PixelScale } from "../decode/pixelScale.js";
import { decodePng } from "../decode/png.js";
import { formatKey, type LabelPlane, type LabelRule } from "../decode/rule.js";
import { classListFor } from "../files/classFile.js";
import { fileError } from "../files/errors.js";
import { fileName, readBytes } from "../files/files.js";
import { counted } from "../files/words.js";
import { decodeMatLabels } from "../mat/labels.js";
import { type CocoLabels, cocoLabels } from "../shapes/coco.js";
import { type LabelmeLabels, labelmeLabels } from "../shapes/labelme.js";

/**
 * A file that provides channels of the image: a photograph (3 channels), or a 16-bit depth map whose logarithm is taken
 * (1 channel).
 */
export interface ImagePart extends PixelScale {
  readonly file: string;
  readonly as: "rgb" | "log-depth";
}

/** The source of an image's labels. */
export type LabelSource =
  | { readonly kind: "png"; readonly file: string; readonly rule: LabelRule }
  | { readonly kind: "mat"; readonly file: string; readonly path: readonly string[]; readonly rule: LabelRule }
  | LabelmeLabels
  | CocoLabels;

/**
 * How to assemble a sample from files. Plain data that can be sent to a worker; nothing is read before it is loaded.
 */
export interface SampleItem {
  readonly name: string;
  /** The parts whose channels make up the image, in order. */
  readonly image: readonly ImagePart[];
  readonly labels: LabelSource;
  /** Sources of the image's extra labels, by name. */
  readonly more?: Readonly<Record<string, LabelSource>>;
  /** Whether to leave out shapes that cannot be drawn; otherwise the first of them is an error. */
  readonly skipBad?: boolean;
}

/** A decoded image, other findings in its first file, and the effect of its EXIF tag. */
export interface LoadedImage {
  readonly image: RasterImage;
  readonly content?: { readonly file: string } & Pick<DecodedImage, "levels" | "isCut" | "pages">;
  /** The stored size and the orientation, if an EXIF tag turned or mirrored the image. */
  readonly turnedFrom?: { readonly height: number; readonly width: number; readonly orientation: number };
}

/**
 * Reads all files of an item and assembles the sample (Node). Throws a TensorError that names the file at fault. A
 * shape that cannot be drawn is an error too, unless the item sets `skipBad`.
 */
export async function loadItem(item: SampleItem): Promise<SegmentationSample> {
  const image = await loadImage(item.image);
  const labelsOf = async (source: LabelSource): Promise<Uint8Array> => {
    const plane = await loadLabels(source, image.image);
    const badPart = item.skipBad ? undefined : partProblem(source.file, plane.skipped);
    const problem = sizeProblem(item, image, source, plane) ?? strayProblem(source, plane) ?? badPart;
    if (problem) throw problem;
    return plane.labels;
  };
  const labels = await labelsOf(item.labels);
  const { name, more } = item;
  if (more === undefined) return { name, image: image.image, labels };
  const maps: Record<string, Uint8Array> = {};
  for (const [key, source] of Object.entries(more)) maps[key] = await labelsOf(source);
  return { name, image: image.image, labels, more: maps };
}

/** Loads the image of an item, whose files `read` reads. Throws if its parts differ in size. */
export async function loadImage(parts: readonly ImagePart[], read = readBytes): Promise<LoadedImage> {
  const loaded = [];
  for (const part of parts) loaded.push(await loadPart(part, read));
  const first = loaded[0] as LoadedImage;
  if (loaded.length === 1) return first;
  const other = loaded.findIndex(({ image }) => !sameSize(image, first.image));
  if (other > 0) {
    const size = sizeText((loaded[other] as LoadedImage).image);
    const problem = `it is ${size} (height x width), but ${parts[0]?.file} is ${sizeText(first.image)}`;
    throw fileError("size-mismatch", parts[other]?.file ?? "", problem, "make both the same size");
  }
  return { ...first, image: joinChannels(loaded.map(({ image }) => image)) };
}

async function loadPart({ file, as, ...scale }: ImagePart, read: typeof readBytes): Promise<LoadedImage> {
  const bytes = await read(file);
  if (as === "log-depth") return { image: await decodeDepth(file, bytes) };
  const { image, stored, orientation, ...content } = await decodeImage(file, bytes, scale);
  const turned = orientation > 1 ? { turnedFrom: { ...stored, orientation } } : {};
  return { image, content: { file, ...content }, ...turned };
}

async function decodeDepth(file: string, bytes: Uint8Array): Promise<RasterImage> {
  const { height, width, channels, samples } = await decodePng(file, bytes);
  if (channels !== 1) {
    throw fileError("unsupported-file", file, `a depth map has one channel, it has ${channels}`, "save it as grey PNG");
  }
  // 0 marks an unknown depth; its logarithm would be -Infinity.
  return { data: Float32Array.from(samples, (depth) => Math.log(Math.max(depth, 1))), height, width, channels: 1 };
}

function joinChannels(images: readonly RasterImage[]): RasterImage {
  const { height, width } = images[0] as RasterImage;
  const channels = images.reduce((sum, image) => sum + image.channels, 0);
  const isFloat = images.some(({ data }) => data instanceof Float32Array);
  const data = new (isFloat ? Float32Array : Uint8Array)(height * width * channels);
  let first = 0;
  for (const image of images) {
    for (let i = 0; i < height * width; i++) {
      for (let c = 0; c < image.channels; c++) {
        data[i * channels + first + c] = image.data[i * image.channels + c] as number;
      }
    }
    first += image.channels;
  }
  return { data, height, width, channels };
}

/**
 * Loads the label map of a source. Keys that its rule does not define become void and are listed, as are shapes that
 * cannot be drawn.
 *
 * @param upright the size of the image, for shapes whose file does not state it
 */
export async function loadLabels(source: LabelSource, upright?: PaintSize): Promise<LabelPlane> {
  switch (source.kind) {
    case "png":
      return decodeMask(source.file, await readBytes(source.file), source.rule);
    case "mat":
      return decodeMatLabels(source.file, await readBytes(source.file), source.path, source.rule);
    case "labelme":
      return labelmeLabels(source, upright);
    case "coco":
      return cocoLabels(source, upright);
  }
}

/** The error for labels that differ in size from the image, or undefined if they fit. */
export function sizeProblem(
  { image: parts }: SampleItem,
  { image, turnedFrom }: LoadedImage,
  source: LabelSource,
  plane: { readonly height: number; readonly width: number },
): TensorError | undefined {
  if (sameSize(image, plane)) return undefined;
  const photo = fileName(parts[0]?.file ?? "");
  const what = `the labels are ${sizeText(plane)}, but ${photo} is ${sizeText(image)}`;
  if (turnedFrom && sameSize(turnedFrom, plane)) {
    const turn = `${what} upright: its EXIF tag (orientation ${turnedFrom.orientation}) turns it, and the labels fit only the image as stored`;
    const fix = "draw the labels on the upright image, or save the image without the tag";
    return fileError("size-mismatch", source.file, turn, fix);
  }
  return fileError("size-mismatch", source.file, what, "export the labels at the size of the image (height x width)");
}

/** The error for keys that a rule does not define, or undefined if there are none. */
export function strayProblem(source: LabelSource, { strays }: LabelPlane): TensorError | undefined {
  const [first] = strays;
  if (first === undefined) return undefined;
  if (!("rule" in source)) throw new Error(`${source.file}: strays without a rule`);
  const { by, listedIn } = source.rule;
  const shown = strays.map(({ key, pixels }) => `${formatKey(by, key)} (${counted(pixels, "pixel")})`);
  const keys = `${firstOf(shown, 3)}, first at column ${first.x}, row ${first.y}`;
  const valued = classListFor("value", listedIn);
  if (by === "colour") {
    const fix = `list the colour in ${classListFor("colour", listedIn)}, or repaint these pixels; soft brushes and lossy saving make such colours; if the stored numbers are meant, give each class its "value" in ${valued}`;
    return fileError("unknown-colour", source.file, `no class has the colour ${keys}`, fix);
  }
  const soft =
    strays.length >= MANY_STRAYS
      ? "; so many levels come from soft edges or lossy compression as a rule: make such masks hard, such as by ImageMagick's mogrify -threshold 50%"
      : "";
  const fix = `map these labels to a class or to 255 (void), list more classes in ${classListFor("name", listedIn)}, or give each class the number in the masks as its value in ${valued}${soft}`;
  const problem = `labels are ${allowedNumbers(source.rule)}, but it holds ${keys}`;
  return fileError("label-out-of-range", source.file, problem, fix);
}

/** This many stray numbers in one mask are no accident. */
const MANY_STRAYS = 6;

const MOST_NUMBERS = 8;

/** The numbers of the classes, then those of void: "0 to 20 or 255", "10, 20, 30 or 255". */
function allowedNumbers({ labels }: LabelRule): string {
  const keys = [...new Map(labels)].sort(([a], [b]) => a - b);
  const numbersOf = (isVoid: boolean): string => {
    const numbers = keys.filter(([, label]) => (label === VOID_LABEL) === isVoid).map(([key]) => key);
    const [first = 0, last = 0] = [numbers[0], numbers.at(-1)];
    if (numbers.length > 1 && last - first === numbers.length - 1) return `${first} to ${last}`;
    return numbers.slice(0, MOST_NUMBERS).join(", ") + (numbers.length > MOST_NUMBERS ? ", ..." : "");
  };
  return [numbersOf(false), numbersOf(true)].filter((text) => text !== "").join(" or ");
}

export function sameSize(
  a: { readonly height: number; readonly width: number },
  b: { readonly height: number; readonly width: number },
): boolean {
  return a.height === b.height && a.width === b.width;
}

const sizeText = ({ height, width }: { readonly height: number; readonly width: number }): string =>
  `${height}x${width}`;
