import type { RasterImage } from "../../labels/sample.js";
import { type PixelLevels, type PixelScale, scaleBands } from "./pixelScale.js";
import { type DecodedPng, decodePng, isRgb } from "./png.js";
import { isPng, readChunks } from "./pngChunks.js";

/** A PNG as 8-bit RGB, with its original levels if it has 16 bits. */
interface PngImage {
  readonly image: RasterImage & { readonly data: Uint8Array };
  readonly levels?: PixelLevels;
}

/**
 * Decodes a PNG file to 8-bit RGB exactly, which a canvas cannot: it premultiplies colours by alpha and so loses those
 * of transparent pixels. Undefined for other files, and for a PNG with an EXIF tag, which may turn it.
 */
export async function decodePngImage(
  file: string,
  bytes: Uint8Array,
  scale: PixelScale = {},
): Promise<PngImage | undefined> {
  if (!isPng(bytes) || readChunks(file, bytes).has("eXIf")) return undefined;
  const image = await decodePng(file, bytes);
  const { height, width } = image;
  if (image.depth < 16) return { image: { data: toRgb(image), height, width, channels: 3 } };
  const { data, levels } = scaleBands(file, { ...colourBands(image), height, width, depth: "uint16" }, scale);
  return { image: { data, height, width, channels: 3 }, levels };
}

/** The samples without alpha. */
function colourBands({ samples, channels }: DecodedPng): {
  readonly values: ArrayLike<number>;
  readonly channels: 1 | 3;
} {
  const colours = channels < 3 ? 1 : 3;
  if (channels === colours) return { values: samples, channels: colours };
  const keep = (_: number, i: number): boolean => i % channels < colours;
  return { values: samples.filter(keep), channels: colours };
}

/** The colours of an image whose samples have 8 bits or fewer, as consecutive RGB triples. */
export function toRgb(image: DecodedPng): Uint8Array {
  const { samples, channels, depth, palette } = image;
  const pixels = samples.length / channels;
  const rgb = new Uint8Array(pixels * 3);
  const isColour = isRgb(image);
  // Samples of fewer than 8 bits are spread over 0 to 255.
  const toByte = 255 / (2 ** depth - 1);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) {
      const sample = samples[i * channels + (isColour ? c : 0)] as number;
      rgb[3 * i + c] = palette ? (palette[3 * sample + c] as number) : sample * toByte;
    }
  }
  return rgb;
}
