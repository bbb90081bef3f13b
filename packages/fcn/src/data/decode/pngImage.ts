import { decodePng, type PngPicture } from "./png.js";
import { isPng, readChunks } from "./pngChunks.js";

/**
 * A PNG file as 8-bit RGB, exact where a canvas is not: a canvas keeps colours multiplied by alpha, and so loses those of clear pixels.
 * Undefined for other files and for a PNG with an EXIF tag, which may turn it.
 */
export async function decodePngImage(file: string, bytes: Uint8Array) {
  if (!isPng(bytes) || readChunks(file, bytes).has("eXIf")) return undefined;
  const picture = await decodePng(file, bytes);
  return { data: toRgb(picture), height: picture.height, width: picture.width, channels: 3 };
}

function toRgb({ samples, channels, depth, kind, palette }: PngPicture): Uint8Array {
  const pixels = samples.length / channels;
  const rgb = new Uint8Array(pixels * 3);
  const isColour = kind === "rgb" || kind === "rgb-alpha";
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) {
      const sample = samples[i * channels + (isColour ? c : 0)] as number;
      rgb[3 * i + c] = palette ? (palette[3 * sample + c] as number) : toByte(sample, depth);
    }
  }
  return rgb;
}

/** The upper byte of 16 bits; fewer than 8 are spread over 0 to 255. */
const toByte = (sample: number, depth: number): number =>
  depth === 16 ? sample >> 8 : (sample * 255) / (2 ** depth - 1);
