import { encodeMask } from "@fcn/core";
import type { FullLabels } from "../learn/learner.js";
import { StudioError } from "../session/errors.js";
import { VOID } from "../session/raster.js";
import type { PaintClass } from "../session/types.js";
import { decode } from "./readImages.js";

/** A label map as a PNG whose palette indices are the labels, in the colours of the classes; 255 is void. */
export async function maskPng({ labels, height, width }: FullLabels, classes: readonly PaintClass[]): Promise<Blob> {
  const palette = classes.map(({ colour }) => colour);
  return new Blob([await encodeMask({ labels, height, width, palette })], { type: "image/png" });
}

/**
 * An image with the colours of its classes over it, as PNG at full size; where nothing is labelled it shows through.
 *
 * @param file the image
 * @param alpha share of the colours, 0 to 1
 * @throws StudioError `invalid-image` if the labels are not of the size of the image, `unsupported-browser` if the
 *   image is larger than the canvases of this browser
 */
export async function overlayPng(
  file: Blob,
  { labels, height, width }: FullLabels,
  classes: readonly PaintClass[],
  alpha: number,
): Promise<Blob> {
  const bitmap = await decode(file, "The image");
  if (bitmap.height !== height || bitmap.width !== width) {
    const sizes = `${width} x ${height} labels for an image of ${bitmap.width} x ${bitmap.height} pixels`;
    throw new StudioError("invalid-image", `There are ${sizes}.`, "Add the image again.");
  }
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw tooLarge(width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const pixels = context.getImageData(0, 0, width, height);
  const { data } = pixels;
  for (let i = 0; i < labels.length; i++) {
    const colour = labels[i] === VOID ? undefined : classes[labels[i] as number]?.colour;
    if (colour === undefined) continue;
    for (let k = 0; k < 3; k++) {
      const at = 4 * i + k;
      data[at] = (1 - alpha) * (data[at] as number) + alpha * (colour[k] as number);
    }
    data[4 * i + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return canvas.convertToBlob({ type: "image/png" }).catch((cause: unknown) => {
    throw tooLarge(width, height, cause);
  });
}

const tooLarge = (width: number, height: number, cause?: unknown): StudioError =>
  new StudioError(
    "unsupported-browser",
    `This browser has no canvas of ${width} x ${height} pixels.`,
    "Export masks instead, or open the page in Chrome, Edge or Firefox on a computer.",
    { cause },
  );
