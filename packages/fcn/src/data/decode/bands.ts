import type { TensorError } from "@fcn/tensor";
import type { Metadata, SharpOptions } from "sharp";
import type { loadSharp } from "../../encoding/sharp.js";
import { fileError } from "../files/errors.js";
import { counted } from "../files/words.js";
import type { Bands, PixelDepth } from "./pixelScale.js";
import { readTiffTags, type TiffTags } from "./tiffTags.js";

type Sharp = Awaited<ReturnType<typeof loadSharp>>;

/** The value formats by sharp's names. */
const FORMATS = {
  uchar: ["uint8", Uint8Array],
  char: ["int8", Int8Array],
  ushort: ["uint16", Uint16Array],
  short: ["int16", Int16Array],
  uint: ["uint32", Uint32Array],
  int: ["int32", Int32Array],
  float: ["float32", Float32Array],
} as const satisfies Readonly<Record<string, readonly [PixelDepth, unknown]>>;

type Format = keyof typeof FORMATS;

/** The photometric interpretation of TIFFs whose values are palette indices. */
const PALETTE = 3;

/** Added to signed 16-bit values on their way through sharp, which treats all 16-bit grey as unsigned. */
const SHIFT = 32768;

/** Which bands of a file are its colours, if not all of them. */
export interface BandChoice {
  readonly colours: 1 | 3;
  /** True if a band beyond the colours is dropped although nothing declares it alpha. */
  readonly isCut: boolean;
}

/**
 * Tells which bands are colours. Undefined if the file has 8 bits and is ordinary grey, RGB or CMYK, with or without
 * alpha.
 */
export function unusualBands(file: string, bytes: Uint8Array, metadata: Metadata): BandChoice | undefined {
  const tags = readTiffTags(bytes);
  const depth = metadata.depth as string;
  if (tags) refuseDepth(file, tags, depth);
  // AVIF is a format of photographs: its 10 and 12 bits are spread over 16.
  if (metadata.format === "heif" || metadata.space === "cmyk" || tags?.photometric === PALETTE) return undefined;
  const choice = tags ? chooseBands(file, tags) : { colours: colourBands(metadata), isCut: false };
  const isUsual = choice.colours === colourBands(metadata) && !choice.isCut;
  return depth === "uchar" && isUsual ? undefined : choice;
}

/** Three grey bands are reduced to the first. */
const colourBands = ({ channels, space }: Metadata): 1 | 3 => (channels < 3 || space === "b-w" ? 1 : 3);

function refuseDepth(file: string, { bits }: TiffTags, depth: string): void {
  if (Object.hasOwn(FORMATS, depth) && !(depth === "float" && bits !== 32)) return;
  throw unreadDepth(file, `${bits} bits${depth === "float" ? ", floating point" : ""}`);
}

/** The error for values of a depth that is not read. */
export function unreadDepth(file: string, depth: string, cause?: unknown): TensorError {
  const fix = "save it with 8 or 16 bits, or as 32-bit floats";
  return fileError("unsupported-file", file, `its values have ${depth}, which is not supported`, fix, cause);
}

/** The error for more or fewer bands than an image has; `pick` are gdal_translate's options that choose some. */
export function unreadBands(file: string, bands: string, pick: string, cause?: unknown): TensorError {
  const problem = `it has ${bands}: an image has one (grey) or three (red, green, blue)`;
  const fix = `save the bands that are wanted in a file of their own, such as gdal_translate ${pick} IN.tif OUT.tif`;
  return fileError("unsupported-bands", file, problem, fix, cause);
}

export const THREE_BANDS = "-b 3 -b 2 -b 1";

/** The colours of a TIFF: grey, or three bands that are red, green and blue or are displayed as such. */
function chooseBands(file: string, { bands, photometric, extraSamples }: TiffTags): BandChoice {
  const isAlpha = (kind: number | undefined): boolean => kind === 1 || kind === 2;
  const alphas = extraSamples.filter(isAlpha).length;
  const own = bands - alphas;
  if (own === 1) return { colours: 1, isCut: false };
  if (own === 3) return { colours: 3, isCut: false };
  // Before ExtraSamples was introduced, a second or fourth band was alpha.
  if (extraSamples.length === 0 && (own === 2 || own === 4)) return { colours: own === 2 ? 1 : 3, isCut: false };
  if (own === 4 && photometric === 2) return { colours: 3, isCut: true };
  const what = `${counted(bands, "band")}${alphas > 0 ? `, ${alphas} of them alpha` : ""}`;
  throw unreadBands(file, what, own === 2 ? "-b 1" : THREE_BANDS);
}

/** Reads bands upright and as stored, without any colour conversion (Node). */
export async function readBands(
  sharp: Sharp,
  bytes: Uint8Array,
  options: SharpOptions,
  { space, depth: name, channels: stored }: Metadata,
  { colours }: BandChoice,
): Promise<Bands> {
  const [depth] = FORMATS[name as Format];
  const isShifted = depth === "int16" && space === "grey16";
  // For plain grey, sharp would keep only one band; converting to RGB repeats the first and keeps the rest.
  const isGrey = space === "b-w";
  let image = sharp(bytes, options).autoOrient();
  if (isShifted) {
    image = image.linear(new Array<number>(stored).fill(1), new Array<number>(stored).fill(SHIFT));
  }
  image = image.toColourspace(isGrey ? "srgb" : space);
  const format = isShifted ? "ushort" : (name as Format);
  const { data, info } = await image.raw({ depth: format }).toBuffer({ resolveWithObject: true });
  const Values = FORMATS[format][1] as Float32ArrayConstructor;
  // The decoder's buffer is not necessarily aligned; a copy is.
  const all = new Values(new Uint8Array(data).buffer);
  const { height, width } = info;
  const have = info.channels as number;
  // [grey, grey, grey, second, third, ...] after the conversion, otherwise the bands themselves.
  const places = (isGrey ? [0, 3, 4] : [0, 1, 2]).slice(0, colours);
  const values = new Values(height * width * colours);
  const back = isShifted ? new Float32Array(values.length) : values;
  for (let i = 0, to = 0; i < height * width; i++) {
    for (const place of places) back[to++] = (all[i * have + place] as number) - (isShifted ? SHIFT : 0);
  }
  return { values: back, height, width, channels: colours, depth, noData: noDataOf(bytes, depth) };
}

/** NaN, which no value equals, if the file declares none. */
function noDataOf(bytes: Uint8Array, depth: PixelDepth): number {
  const value = Number(readTiffTags(bytes)?.noData?.trim() || Number.NaN);
  return depth === "float32" ? Math.fround(value) : value;
}
