import { decodeMaskPng, keyPlane, paletteKeys } from "../decode/mask.js";
import { readBytes } from "../files.js";

/** What one mask holds. */
export interface MaskSurvey {
  readonly file: string;
  /** "colour": RGB with at least one pixel that is not grey. "grey": numbers, even where they are stored three times. */
  readonly kind: "grey" | "palette" | "colour";
  /** Stored as RGB, grey or not. */
  readonly isRgb: boolean;
  /** The distinct numbers, or colours as 0xRRGGBB, rising. */
  readonly keys: readonly number[];
  /** Colours of the palette as 0xRRGGBB. */
  readonly palette?: readonly number[];
}

/** More colours than this are no classes; looking for more would only fill the memory. */
const MOST_KEYS = 4096;

/** Looks at one mask (Node). Throws a TensorError that names the file when it cannot be read. */
export async function surveyMask(file: string): Promise<MaskSurvey> {
  const picture = await decodeMaskPng(file, await readBytes(file));
  if (picture.palette) {
    const keys = distinct(picture.samples);
    return { file, kind: "palette", isRgb: false, keys, palette: paletteKeys(picture.palette) };
  }
  if (picture.channels < 3) {
    return { file, kind: "grey", isRgb: false, keys: distinct(keyPlane(file, picture, "value").keys) };
  }
  const keys = distinct(keyPlane(file, picture, "colour").keys);
  const isGrey = keys.every((key) => key === (key & 0xff) * 0x010101);
  if (!isGrey) return { file, kind: "colour", isRgb: true, keys };
  return { file, kind: "grey", isRgb: true, keys: keys.map((key) => key & 0xff) };
}

function distinct(keys: ArrayLike<number>): number[] {
  const found = new Set<number>();
  let last = Number.NaN;
  for (let i = 0; i < keys.length && found.size < MOST_KEYS; i++) {
    if (keys[i] === last) continue;
    last = keys[i] as number;
    found.add(last);
  }
  return [...found].sort((a, b) => a - b);
}
