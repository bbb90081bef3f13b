import { TensorError } from "@fcn/tensor";
import { type Guess, guessContent } from "@fcn/tensor/internal";
import { loadSharp } from "../../sharp.js";
import { damagedFile, fileError, reasonOf, tooManyPixels, wrongContent } from "../errors.js";
import type { RasterImage } from "../sample.js";
import { decodePngImage } from "./pngImage.js";

/** A photograph, upright, and how it lies in its file. */
export interface DecodedImage {
  readonly image: RasterImage & { readonly data: Uint8Array };
  /** Height and width before the EXIF tag turned it. */
  readonly stored: { readonly height: number; readonly width: number };
  /** EXIF orientation 1 to 8; 1 is upright already. */
  readonly orientation: number;
}

/** Extensions of picture files that are looked for. */
export const IMAGE_PATTERN = /\.(jpe?g|png|webp|tiff?|avif|gif)$/i;

/**
 * Decodes a photograph (JPEG, PNG, WebP, TIFF, AVIF, GIF) to upright 8-bit RGB: turned as its EXIF tag says, grey and CMYK brought to RGB, 16
 * bits to 8, alpha dropped (colours as stored), colour profiles of RGB pictures not applied: so the values are PIL's, but for CMYK, which is brought
 * to RGB by a colour profile and may differ from PIL's `convert("RGB")` by a hundred levels and more. Uses sharp in Node. In
 * browsers PNG files give the same values; createImageBitmap decodes the others, where those of JPEG may differ by a few levels and colours below
 * alpha by more. Throws a TensorError that names `file`.
 */
export async function decodeImage(file: string, bytes: Uint8Array): Promise<DecodedImage> {
  try {
    return await (typeof createImageBitmap === "function"
      ? decodeInBrowser(file, bytes)
      : decodeWithSharp(file, bytes));
  } catch (cause) {
    if (cause instanceof TensorError) throw cause;
    const reason = reasonOf(cause);
    const guess = guessContent(bytes);
    const isOther = guess !== undefined && !READ.includes(guess.what);
    if (isOther || /unsupported image format|could not be decoded/i.test(reason)) throw notDecoded(file, guess, cause);
    if (/exceeds pixel limit/i.test(reason)) throw tooManyPixels(file, "it has", cause);
    throw damagedFile(file, `the picture is cut off or damaged (${reason})`, cause);
  }
}

/** The kinds of {@link IMAGE_PATTERN}, in the words of {@link guessContent}. */
const READ = ["JPEG", "PNG", "WebP", "TIFF", "AVIF", "GIF"].map(
  (kind) => `${kind === "AVIF" ? "an" : "a"} ${kind} picture`,
);

function notDecoded(file: string, guess: Guess | undefined, cause: unknown): TensorError {
  const isPicture = guess?.what.endsWith(" picture") ?? false;
  const other = isPicture ? undefined : wrongContent("unsupported-file", file, guess, "a picture", cause);
  if (other) return other;
  const kind = isPicture ? `${guess?.what}, which is not read or` : "no picture of a known format, or";
  return fileError("unsupported-file", file, `it is ${kind} is badly damaged`, "save it as JPEG or PNG", cause);
}

async function decodeWithSharp(file: string, bytes: Uint8Array): Promise<DecodedImage> {
  const sharp = await loadSharp(file);
  const options = { failOn: "error", ignoreIcc: true, sequentialRead: true } as const;
  const { width = 0, height = 0, orientation = 1 } = await sharp(bytes, options).metadata();
  const picture = sharp(bytes, options).autoOrient().removeAlpha().toColourspace("srgb");
  const { data, info } = await picture.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.length);
  return {
    image: { data: pixels, height: info.height, width: info.width, channels: info.channels },
    stored: { height, width },
    orientation,
  };
}

async function decodeInBrowser(file: string, bytes: Uint8Array): Promise<DecodedImage> {
  const png = await decodePngImage(file, bytes);
  if (png !== undefined) return { image: png, stored: { height: png.height, width: png.width }, orientation: 1 };
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>]);
  const bitmap = await createImageBitmap(blob, { premultiplyAlpha: "none", colorSpaceConversion: "none" });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("this browser gives no 2d canvas");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const rgba = context.getImageData(0, 0, width, height).data;
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) data.set(rgba.subarray(4 * i, 4 * i + 3), 3 * i);
  // The browser turns the picture upright and does not tell from what.
  return { image: { data, height, width, channels: 3 }, stored: { height, width }, orientation: 1 };
}

/** Height and width of a photograph, upright, from its header alone (Node). */
export async function readImageSize(file: string): Promise<{ height: number; width: number }> {
  const sharp = await loadSharp(file);
  try {
    const { autoOrient } = await sharp(file).metadata();
    return { height: autoOrient.height, width: autoOrient.width };
  } catch (cause) {
    throw damagedFile(file, `the picture's header cannot be read (${reasonOf(cause)})`, cause);
  }
}
