import { decodeMaskPng, keyPlane, paletteKeys } from "../decode/mask.js";
import { readBytes, stampOf } from "../files.js";

/** What one mask holds. */
export interface MaskSurvey {
  readonly file: string;
  /** See `stampOf`; from before the file was read. */
  readonly stamp: string | undefined;
  readonly height: number;
  readonly width: number;
  /** "colour": RGB with at least one pixel that is not grey. "grey": numbers, even where they are stored three times. */
  readonly kind: "grey" | "palette" | "colour";
  /** Stored as RGB, grey or not. */
  readonly isRgb: boolean;
  /** The distinct numbers, or colours as 0xRRGGBB, rising. */
  readonly keys: readonly number[];
  /** How many pixels hold each of them. */
  readonly pixels: readonly number[];
  /** Colours of the palette as 0xRRGGBB. */
  readonly palette?: readonly number[];
}

/** More colours than this are no classes; looking for more would only fill the memory. */
const MOST_KEYS = 4096;

/** Looks at one mask (Node). Throws a TensorError that names the file when it cannot be read. */
export async function surveyMask(file: string): Promise<MaskSurvey> {
  const stamp = await stampOf(file);
  const picture = await decodeMaskPng(file, await readBytes(file));
  const { height, width } = picture;
  const about = { file, stamp, height, width };
  if (picture.palette) {
    const palette = paletteKeys(picture.palette);
    return { ...about, kind: "palette", isRgb: false, ...countKeys(picture.samples), palette };
  }
  if (picture.channels < 3) {
    return { ...about, kind: "grey", isRgb: false, ...countKeys(keyPlane(file, picture, "value").keys) };
  }
  const { keys, pixels } = countKeys(keyPlane(file, picture, "colour").keys);
  const isGrey = keys.every((key) => key === (key & 0xff) * 0x010101);
  if (!isGrey) return { ...about, kind: "colour", isRgb: true, keys, pixels };
  return { ...about, kind: "grey", isRgb: true, keys: keys.map((key) => key & 0xff), pixels };
}

function countKeys(plane: ArrayLike<number>): { keys: number[]; pixels: number[] } {
  const found = new Map<number, number>();
  for (let i = 0; i < plane.length && found.size < MOST_KEYS; ) {
    const first = i;
    const key = plane[i] as number;
    // Masks are mostly runs of one key.
    while (i < plane.length && plane[i] === key) i++;
    found.set(key, (found.get(key) ?? 0) + i - first);
  }
  const sorted = [...found].sort(([a], [b]) => a - b);
  return { keys: sorted.map(([key]) => key), pixels: sorted.map(([, count]) => count) };
}
