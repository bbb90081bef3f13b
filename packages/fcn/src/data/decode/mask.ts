import type { TensorError } from "@fcn/tensor";
import { guessContent } from "@fcn/tensor/internal";
import { fileError } from "../files/errors.js";
import { type DecodedPng, decodePng, isRgb } from "./png.js";
import { isPng } from "./pngChunks.js";
import { toRgb } from "./pngImage.js";
import { applyRule, colourKey, type KeyPlane, type LabelPlane, type LabelRule } from "./rule.js";

/**
 * Decodes a PNG mask (palette, grey or RGB; alpha is ignored) and maps its keys to labels by `rule`: one label per
 * pixel. Throws a TensorError that names `file`.
 */
export async function decodeMask(file: string, bytes: Uint8Array, rule: LabelRule): Promise<LabelPlane> {
  return applyRule(keyPlane(file, await decodeMaskPng(file, bytes), rule.by), rule);
}

/** Decodes a mask's PNG. Lossy formats are refused by name, because their labels cannot be trusted. */
export async function decodeMaskPng(file: string, bytes: Uint8Array): Promise<DecodedPng> {
  if (isPng(bytes)) return decodePng(file, bytes);
  const { what = "not a PNG file", fix } = guessContent(bytes) ?? {};
  const why = what === "a JPEG image" ? ", whose compression changes labels" : "";
  const problem = `a mask must be PNG, but it is ${what}${why}`;
  throw fileError("unsupported-file", file, problem, fix ?? "save the mask as PNG");
}

/**
 * One key per pixel. With `by` "value" it is the palette index or grey value; with "colour" it is 0xRRGGBB, looked up
 * in the palette if there is one.
 */
export function keyPlane(file: string, image: DecodedPng, by: LabelRule["by"]): KeyPlane {
  const { height, width } = image;
  return { height, width, keys: by === "value" ? valueKeys(file, image) : colourKeys(file, image) };
}

function valueKeys(file: string, image: DecodedPng): ArrayLike<number> {
  const { samples, channels, width } = image;
  if (channels === 1) return samples;
  const grey = new Uint16Array(samples.length / channels);
  const isColour = isRgb(image);
  for (let i = 0; i < grey.length; i++) {
    const at = i * channels;
    grey[i] = samples[at] as number;
    if (isColour && (samples[at] !== samples[at + 1] || samples[at] !== samples[at + 2])) {
      const fix = "save all masks of the folder alike: as numbers, or in the colours of the classes";
      const problem = `it holds colours (${placeOf(i, width)}), but the masks here hold numbers`;
      throw fileError("unknown-colour", file, problem, fix);
    }
  }
  return grey;
}

function colourKeys(file: string, image: DecodedPng): Uint32Array {
  const { samples, depth, palette, width } = image;
  if (depth === 16) throw sixteenBits(file);
  const colours = palette === undefined ? Number.POSITIVE_INFINITY : palette.length / 3;
  const stray = samples.findIndex((index) => index >= colours);
  if (stray >= 0) throw outsidePalette(file, samples[stray] as number, colours, placeOf(stray, width));
  return rgbKeys(toRgb(image));
}

const placeOf = (pixel: number, width: number): string => `column ${pixel % width}, row ${Math.floor(pixel / width)}`;

/** Consecutive RGB triples as keys. */
export function rgbKeys(rgb: Uint8Array): Uint32Array {
  const keys = new Uint32Array(rgb.length / 3);
  for (let i = 0; i < keys.length; i++) {
    keys[i] = colourKey(rgb[3 * i] as number, rgb[3 * i + 1] as number, rgb[3 * i + 2] as number);
  }
  return keys;
}

function sixteenBits(file: string): TensorError {
  const fix = "save it with 8 bits a channel";
  return fileError("unsupported-file", file, "it is a 16-bit PNG, but the classes here are 8-bit colours", fix);
}

function outsidePalette(file: string, index: number, colours: number, where: string): TensorError {
  const problem = `palette index ${index} at ${where} is outside its palette of ${colours} colours`;
  return fileError("corrupt-file", file, problem, "save the mask again");
}
