import type { RasterImage } from "./sample.js";

/** A pixel as `paint` takes it: red lowest, then green, blue and opacity. */
export const packPixel = (red: number, green: number, blue: number, opacity = 255): number =>
  red | (green << 8) | (blue << 16) | (opacity << 24);

/**
 * Packs `height` rows of an image from `top` on into pixels: its first three channels, or its only one as grey.
 */
export function packRows({ data, width, channels }: RasterImage, top: number, height: number, words: Int32Array): void {
  const [green, blue] = channels >= 3 ? [1, 2] : [0, 0];
  let from = top * width * channels;
  for (let i = 0; i < height * width; i++, from += channels) {
    words[i] = packPixel(data[from]!, data[from + green]!, data[from + blue]!);
  }
}
