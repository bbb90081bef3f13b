import { SegmentationMetrics } from "@fcn/core";
import { VOID } from "../session/raster.js";
import type { HeldBack } from "./learner.js";

/** Labels of the pixels that count, and what a net says of them. */
interface Scored {
  readonly wanted: Uint8Array;
  readonly predicted: Uint8Array;
}

/** Scores a net on the strokes that are held back, image by image, each as it was predicted last. */
export class HeldBackScores {
  readonly #images = new Map<string, Scored>();

  /** Takes a prediction of an image; `held` has the labels of its strokes that are held back, and void elsewhere. */
  set(id: string, held: Uint8Array, labels: Uint8Array): void {
    const counts = (_: number, i: number): boolean => held[i] !== VOID;
    this.#images.set(id, { wanted: held.filter((label) => label !== VOID), predicted: labels.filter(counts) });
  }

  /** Forgets all images but these. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.#images.keys()) if (!ids.has(id)) this.#images.delete(id);
  }

  /** The scores over all images, or undefined where no stroke is held back. */
  total(numClasses: number): HeldBack | undefined {
    const pixels = [...this.#images.values()].reduce((sum, { wanted }) => sum + wanted.length, 0);
    if (pixels === 0) return undefined;
    const metrics = new SegmentationMetrics(numClasses);
    for (const { wanted, predicted } of this.#images.values()) metrics.update(predicted, wanted);
    const { pixelAccuracy, meanIU } = metrics.compute();
    return { accuracy: pixelAccuracy, meanIU, pixels };
  }
}
