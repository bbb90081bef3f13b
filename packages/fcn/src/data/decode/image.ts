import { type PictureSource, TensorError } from "@fcn/tensor";
import { type Guess, guessContent, isPicture } from "@fcn/tensor/internal";
import { loadSharp } from "../../encoding/sharp.js";
import type { RasterImage } from "../../labels/sample.js";
import { isBucket } from "../files/buckets.js";
import { damagedFile, fileError, reasonOf, tooManyPixels, wrongContent } from "../files/errors.js";
import { readBytes, readStart } from "../files/files.js";
import { readBands, THREE_BANDS, unreadBands, unreadDepth, unusualBands } from "./bands.js";
import { type EncodedImage, imageBytes } from "./imageBytes.js";
import { drawnPixels, readPicture, withoutOpacity } from "./picture.js";
import { type Bands, checkScale, EIGHT_BITS, type PixelLevels, type PixelScale, scaleBands } from "./pixelScale.js";
import { isPng } from "./pngChunks.js";
import { decodePngImage } from "./pngImage.js";
import { isTiff } from "./tiffTags.js";

/** A photograph, turned upright, and how it was stored in its file. */
export interface DecodedImage {
  readonly image: RasterImage & { readonly data: Uint8Array };
  /** Height and width before the EXIF orientation was applied. */
  readonly stored: { readonly height: number; readonly width: number };
  /** EXIF orientation 1 to 8, where 1 is upright. */
  readonly orientation: number;
  /** The values in the file, unless they are unsigned 8-bit. */
  readonly levels?: PixelLevels;
  /** True if a fourth band that is not declared as alpha was dropped. */
  readonly isCut?: boolean;
  /**
   * Number of images in the file, of which the first was read; absent if there is only one or the number is unknown.
   */
  readonly pages?: number;
}

/** Matches the extensions of readable image files. */
export const IMAGE_PATTERN = /\.(jpe?g|png|webp|tiff?|avif|gif)$/i;

/**
 * Decodes a photograph (JPEG, PNG, WebP, TIFF, AVIF, GIF) to upright 8-bit RGB. The EXIF orientation is applied, grey
 * and CMYK become RGB, alpha is dropped (colours stay as stored), and colour profiles of RGB images are ignored, so the
 * values equal PIL's. CMYK is the exception: it is converted through a colour profile and may differ from PIL's
 * `convert("RGB")` by a hundred levels or more.
 *
 * Values that are not unsigned 8-bit are mapped from `scale.range` to 0 to 255. Without a range they are read on the
 * common scale that they fill (0 to 65535, 0 to 255, or 0 to 1 for floats); if there is none, `range-needed` is thrown.
 * Throws `other-depth` if the image does not match `scale`. All errors name `file`.
 *
 * The image is given by its bytes, as a Blob or File, or by its path (Node) or address; `file` names it in messages. On
 * a page, pictures that it holds are read too, as `fromImage` of @fcn/tensor names them: they are RGB already.
 *
 * Uses sharp in Node. In browsers PNG files give the same values; createImageBitmap decodes the other formats, where
 * JPEG may differ by a few levels, and colours under transparency by more.
 */
export async function decodeImage(
  file: string,
  content: EncodedImage | PictureSource,
  scale: PixelScale = {},
): Promise<DecodedImage> {
  if (isPicture(content)) {
    const image = readPicture(file, content);
    return { image, stored: { height: image.height, width: image.width }, orientation: 1 };
  }
  const bytes = await imageBytes("decodeImage", content);
  try {
    const decode = typeof createImageBitmap === "function" ? decodeInBrowser : decodeWithSharp;
    const decoded = await decode(file, bytes, scale);
    checkScale(file, decoded.levels ?? EIGHT_BITS, scale);
    return decoded;
  } catch (cause) {
    if (cause instanceof TensorError) throw cause;
    const reason = reasonOf(cause);
    const guess = guessContent(bytes);
    const isOther = guess !== undefined && !READ.includes(guess.what);
    if (isOther || /unsupported image format|could not be decoded/i.test(reason)) throw notDecoded(file, guess, cause);
    if (/exceeds pixel limit/i.test(reason)) throw tooManyPixels(file, "it has", cause);
    if (/exceeds channel limit/i.test(reason)) throw unreadBands(file, "more bands than that", THREE_BANDS, cause);
    if (/samples out of range/i.test(reason)) throw unreadDepth(file, "more than 32 bits", cause);
    throw damagedFile(file, `the image is cut off or damaged${why(reason)}`, cause);
  }
}

/** The decoder's explanation of what is wrong with an image, if it is informative. */
function why(reason: string): string {
  if (/premature end|unexpected end|truncated|\bEOF\b/i.test(reason)) return " (it ends too early)";
  return /unknown error/i.test(reason) ? "" : ` (${reason})`;
}

/** The formats of {@link IMAGE_PATTERN} as {@link guessContent} names them. */
const READ = ["JPEG", "PNG", "WebP", "TIFF", "AVIF", "GIF"].map(
  (kind) => `${kind === "AVIF" ? "an" : "a"} ${kind} image`,
);

function notDecoded(file: string, guess: Guess | undefined, cause: unknown): TensorError {
  const isImage = guess?.what.endsWith(" image") ?? false;
  const other = isImage ? undefined : wrongContent("unsupported-file", file, guess, "an image", cause);
  if (other) return other;
  const kind = isImage ? `${guess?.what}, which is not supported, or` : "no image of a known format, or";
  return fileError("unsupported-file", file, `it is ${kind} is badly damaged`, "save it as JPEG or PNG", cause);
}

/** Deflate expands a byte to at most 1032 bytes, each of which holds up to 8 PNG samples. */
const MOST_UNPACKED = 1032 * 8;

const STRICT = { failOn: "error", ignoreIcc: true, sequentialRead: true } as const;

async function decodeWithSharp(file: string, bytes: Uint8Array, scale: PixelScale): Promise<DecodedImage> {
  const sharp = await loadSharp(file);
  const metadata = await sharp(bytes, STRICT).metadata();
  const { width = 0, height = 0, orientation = 1, pages = 1, format, channels = 1 } = metadata;
  if (format === "png" && width * height * channels > MOST_UNPACKED * bytes.length) {
    throw damagedFile(file, `it is cut off or damaged: ${bytes.length} bytes cannot hold ${height}x${width} pixels`);
  }
  const choice = unusualBands(file, bytes, metadata);
  const cut = choice?.isCut ? { isCut: true } : {};
  const about = { stored: { height, width }, orientation, ...(pages > 1 ? { pages } : {}), ...cut };
  if (choice !== undefined) {
    const bands = await readBands(sharp, bytes, STRICT, metadata, choice);
    const isDeep = bands.depth !== "uint8";
    const { data, levels } = scaleBands(file, bands, isDeep ? scale : { range: [0, 255] });
    const image = { data, height: bands.height, width: bands.width, channels: 3 };
    return { image, ...about, ...(isDeep ? { levels } : {}) };
  }
  const upright = sharp(bytes, STRICT).autoOrient().removeAlpha().toColourspace("srgb");
  const { data, info } = await upright.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.length);
  return { image: { data: pixels, height: info.height, width: info.width, channels: info.channels }, ...about };
}

async function decodeInBrowser(file: string, bytes: Uint8Array, scale: PixelScale): Promise<DecodedImage> {
  const png = await decodePngImage(file, bytes, scale);
  if (png !== undefined) {
    const { image, levels } = png;
    const stored = { height: image.height, width: image.width };
    return { image, stored, orientation: 1, ...(levels ? { levels } : {}) };
  }
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>]);
  const bitmap = await createImageBitmap(blob, { premultiplyAlpha: "none", colorSpaceConversion: "none" });
  const { width, height } = bitmap;
  const data = withoutOpacity(drawnPixels(file, bitmap, height, width), height * width);
  bitmap.close();
  // The browser turns the image upright and does not report the original orientation.
  return { image: { data, height, width, channels: 3 }, stored: { height, width }, orientation: 1 };
}

/** The values of an image file as stored, or undefined if they are unsigned 8-bit (Node). */
export async function decodeDeep(file: string, bytes: Uint8Array): Promise<Bands | undefined> {
  const sharp = await loadSharp(file);
  const metadata = await sharp(bytes, STRICT).metadata();
  const choice = unusualBands(file, bytes, metadata);
  if (choice === undefined || metadata.depth === "uchar") return undefined;
  return readBands(sharp, bytes, STRICT, metadata, choice);
}

/** Whether an image file's header declares values other than unsigned 8-bit (Node). Throws if there is no header. */
export async function isDeepImage(file: string): Promise<boolean> {
  const start = await readStart(file, 26);
  if (isPng(start)) return start[24] === 16;
  if (!isTiff(start)) return false;
  const { depth, space } = await headerOf(file);
  return depth !== "uchar" && space !== "cmyk";
}

/** Height and width of a photograph after turning it upright, read from its header only (Node). */
export async function readImageSize(file: string): Promise<{ height: number; width: number }> {
  try {
    const { autoOrient } = await headerOf(file);
    return { height: autoOrient.height, width: autoOrient.width };
  } catch (cause) {
    if (cause instanceof TensorError) throw cause;
    throw damagedFile(file, `the image's header cannot be read (${reasonOf(cause)})`, cause);
  }
}

/** In this much of a file, nearly all have their header. */
const HEADER = 2 ** 16;

/** What the header of an image file says; of a file in a bucket no more is read than that takes. */
async function headerOf(file: string) {
  const sharp = await loadSharp(file);
  if (!isBucket(file)) return sharp(file).metadata();
  const start = await readStart(file, HEADER);
  return sharp(start)
    .metadata()
    .catch(async () => sharp(await readBytes(file)).metadata());
}
