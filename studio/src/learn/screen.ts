import { showPrediction } from "@fcn/core";
import type { View } from "./learner.js";
import type { OwnNet } from "./nets.js";
import type { WorkImages } from "./workImages.js";

/** A canvas that shows what a net says of an image, at the size of the work. */
export class Screen {
  canvas: OffscreenCanvas | undefined;
  imageId: string | null = null;
  view: View = "classes";
  /** Milliseconds that the last drawing took, and when it ended. */
  #took = 0;
  #drawn = 0;

  /** Whether enough time has passed that drawing takes no more than a quarter of it. */
  get isDue(): boolean {
    return performance.now() - this.#drawn > 3 * this.#took;
  }

  /** Draws from the device straight to the canvas. Returns the image that is shown, or null where there is none. */
  async draw({ model, metadata }: OwnNet, images: WorkImages): Promise<string | null> {
    const { canvas, imageId, view } = this;
    if (canvas === undefined || imageId === null) return null;
    const start = performance.now();
    await showPrediction({ model, metadata }, await images.get(imageId), canvas, { show: view });
    this.#drawn = performance.now();
    this.#took = this.#drawn - start;
    return imageId;
  }
}
