import { decodeMaskPng, keyPlane, rgbKeys } from "../decode/mask.js";
import type { DecodedPng } from "../decode/png.js";
import { readBytes, stampOf } from "../files/files.js";
import { findSoftEdges, type SoftEdges } from "./softEdges.js";

/** The contents of one mask. */
export interface MaskSurvey {
  readonly file: string;
  /** The stamp of the file (see `stampOf`) before it was read. */
  readonly stamp: string | undefined;
  readonly height: number;
  readonly width: number;
  /** "colour": RGB with at least one pixel that is not grey. "grey": numbers, even if they are stored three times. */
  readonly kind: "grey" | "palette" | "colour";
  /** Whether it is stored as RGB, grey or not. */
  readonly isRgb: boolean;
  /** The distinct numbers, or colours as 0xRRGGBB, in ascending order. */
  readonly keys: readonly number[];
  /** The number of pixels of each key. */
  readonly pixels: readonly number[];
  /** Colours of the palette as 0xRRGGBB. */
  readonly palette?: readonly number[];
  /** Set if its borders are not hard. */
  readonly soft?: SoftEdges;
  /** True if it shows a single colour while its alpha varies. */
  readonly hasShapesInAlpha?: boolean;
}

/** More colours than this cannot be classes, and counting them would only fill the memory. */
const MOST_KEYS = 4096;

/** Surveys one mask (Node). Throws a TensorError that names the file if it cannot be read. */
export async function surveyMask(file: string): Promise<MaskSurvey> {
  const stamp = await stampOf(file);
  const image = await decodeMaskPng(file, await readBytes(file));
  const { height, width } = image;
  const about = { file, stamp, height, width };
  if (image.palette) {
    const palette = Array.from(rgbKeys(image.palette));
    const counted = countKeys(image.samples);
    return {
      ...about,
      kind: "palette",
      isRgb: false,
      ...counted,
      palette,
      ...softOf(file, image, counted.keys, true),
    };
  }
  const alpha = shapesInAlpha(image);
  if (image.channels < 3) {
    const { keys: plane } = keyPlane(file, image, "value");
    const counted = countKeys(plane);
    return {
      ...about,
      kind: "grey",
      isRgb: false,
      ...counted,
      ...alpha,
      ...softOf(file, image, counted.keys, false),
    };
  }
  const { keys, pixels } = countKeys(keyPlane(file, image, "colour").keys);
  const isGrey = keys.every((key) => key === (key & 0xff) * 0x010101);
  if (!isGrey) {
    return { ...about, kind: "colour", isRgb: true, keys, pixels, ...alpha, ...softOf(file, image, keys, true) };
  }
  const levels = keys.map((key) => key & 0xff);
  return { ...about, kind: "grey", isRgb: true, keys: levels, pixels, ...alpha, ...softOf(file, image, keys, false) };
}

function softOf(file: string, image: DecodedPng, keys: readonly number[], isColour: boolean): Pick<MaskSurvey, "soft"> {
  if (keys.length < 3) return {};
  const { height, width } = image;
  const { keys: plane } = keyPlane(file, image, isColour ? "colour" : "value");
  const soft = findSoftEdges(plane, height, width, isColour);
  return soft ? { soft } : {};
}

function shapesInAlpha({ samples, channels }: DecodedPng): Pick<MaskSurvey, "hasShapesInAlpha"> {
  if (channels !== 2 && channels !== 4) return {};
  let varies = false;
  for (let i = 0; i < samples.length; i++) {
    const isAlpha = i % channels === channels - 1;
    if (!isAlpha && samples[i] !== samples[i % channels]) return {};
    if (isAlpha && samples[i] !== samples[channels - 1]) varies = true;
  }
  return varies ? { hasShapesInAlpha: true } : {};
}

function countKeys(plane: ArrayLike<number>): { keys: number[]; pixels: number[] } {
  const found = new Map<number, number>();
  for (let i = 0; i < plane.length && found.size < MOST_KEYS; ) {
    const first = i;
    const key = plane[i] as number;
    // Masks consist mostly of runs of one key.
    while (i < plane.length && plane[i] === key) i++;
    found.set(key, (found.get(key) ?? 0) + i - first);
  }
  const sorted = [...found].sort(([a], [b]) => a - b);
  return { keys: sorted.map(([key]) => key), pixels: sorted.map(([, count]) => count) };
}
