import { type data, predict } from "@fcn/core";
import { rasterise, VOID } from "../session/raster.js";
import type { PaintedImage, Session } from "../session/types.js";
import type { FullLabels, MaskOptions } from "./learner.js";
import type { OwnNet } from "./nets.js";

/** Probabilities by class [classes, height, width]. */
interface Planes {
  readonly values: Float32Array;
  readonly classes: number;
  readonly height: number;
  readonly width: number;
}

/**
 * The class of each pixel of an image at its full size. The net sees the image at the size of the work; its
 * probabilities are enlarged bilinearly before the largest is taken, so that outlines are smooth.
 *
 * @param image at the size of the work
 */
export async function fullLabels(
  { model, metadata }: OwnNet,
  image: data.RasterImage,
  painted: PaintedImage,
  { classes }: Session,
  { strokesOnTop }: MaskOptions,
): Promise<FullLabels> {
  const { height, width } = painted;
  const isWhole = image.height === height && image.width === width;
  const { labels: own, probabilities } = await predict({ model, metadata }, image, { probabilities: !isWhole });
  const labels = probabilities
    ? enlarged({ ...image, values: probabilities.data as Float32Array, classes: classes.length }, { height, width })
    : own;
  if (strokesOnTop) {
    const { all } = rasterise(painted, classes, { height, width });
    for (let i = 0; i < all.length; i++) if (all[i] !== VOID) labels[i] = all[i] as number;
  }
  return { labels, height, width };
}

/** Between which two pixels of `from` each of `to` pixels lies, and how far; beyond the last centres it is those. */
function between(from: number, to: number): { readonly first: Int32Array; readonly share: Float32Array } {
  const first = new Int32Array(to);
  const share = new Float32Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
    first[i] = Math.min(Math.floor(at), Math.max(0, from - 2));
    share[i] = at - (first[i] as number);
  }
  return { first, share };
}

/** The most probable class of each pixel, with bilinear values in between (`alignCorners: false`). */
export function enlarged(
  { values, classes, height, width }: Planes,
  size: { readonly height: number; readonly width: number },
): Uint8Array {
  const labels = new Uint8Array(size.height * size.width);
  const [rows, columns] = [between(height, size.height), between(width, size.width)];
  const [down, right] = [height > 1 ? width : 0, width > 1 ? 1 : 0];
  // The two rows of the net that a row lies between, mixed, class by class.
  const mixed = new Float32Array(classes * width);
  for (let y = 0; y < size.height; y++) {
    const [top, below] = [(rows.first[y] as number) * width, rows.share[y] as number];
    for (let c = 0; c < classes; c++) {
      const plane = c * height * width + top;
      for (let x = 0; x < width; x++) {
        const upper = values[plane + x] as number;
        mixed[c * width + x] = upper + below * ((values[plane + down + x] as number) - upper);
      }
    }
    for (let x = 0; x < size.width; x++) {
      const [left, share] = [columns.first[x] as number, columns.share[x] as number];
      let [best, most] = [0, -1];
      for (let c = 0; c < classes; c++) {
        const value = mixed[c * width + left] as number;
        const between = value + share * ((mixed[c * width + left + right] as number) - value);
        if (between > most) [best, most] = [c, between];
      }
      labels[y * size.width + x] = best;
    }
  }
  return labels;
}
