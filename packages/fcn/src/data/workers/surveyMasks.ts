import { decodeMaskPng, keyPlane, rgbKeys } from "../decode/mask.js";
import type { DecodedPng } from "../decode/png.js";
import { readBytes, stampOf } from "../files/files.js";
import { hasSoftEdges } from "./softEdges.js";

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
  readonly isSoft: boolean;
  /** Whether it shows a single colour while its alpha varies. */
  readonly hasShapesInAlpha: boolean;
}

/** More colours than this cannot be classes, and counting them would only fill the memory. */
const MOST_KEYS = 4096;

/** Surveys one mask (Node). Throws a TensorError that names the file if it cannot be read. */
export async function surveyMask(file: string): Promise<MaskSurvey> {
  const stamp = await stampOf(file);
  const image = await decodeMaskPng(file, await readBytes(file));
  const { height, width, channels } = image;
  const palette = image.palette && Array.from(rgbKeys(image.palette));
  const isRgb = palette === undefined && channels >= 3;
  const { keys, pixels } = countKeys(keyPlane(file, image, isRgb ? "colour" : "value").keys);
  const isGrey = !isRgb || keys.every((key) => key === (key & 0xff) * 0x010101);
  const kind = palette ? "palette" : isGrey ? "grey" : "colour";
  const by = kind === "grey" ? "value" : "colour";
  return {
    ...{ file, stamp, height, width, kind, isRgb, pixels },
    keys: isRgb && isGrey ? keys.map((key) => key & 0xff) : keys,
    ...(palette ? { palette } : {}),
    isSoft: keys.length > 2 && hasSoftEdges(keyPlane(file, image, by).keys, height, width, by === "colour"),
    hasShapesInAlpha: hasShapesInAlpha(image),
  };
}

function hasShapesInAlpha({ samples, channels }: DecodedPng): boolean {
  if (channels !== 2 && channels !== 4) return false;
  let varies = false;
  for (let i = 0; i < samples.length; i++) {
    const isOther = samples[i] !== samples[i % channels];
    if (isOther && i % channels !== channels - 1) return false;
    varies ||= isOther;
  }
  return varies;
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
