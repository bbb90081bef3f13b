import { confusionMatrix, slice, type TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import type { RasterImage } from "../labels/sample.js";
import type { Inference } from "../prediction/inference.js";
import { forEachStrip } from "../prediction/strips.js";
import type { Scoreboard } from "./scoreboard.js";

/** An image ready for the device. */
export interface Prepared {
  readonly index: number;
  readonly image: RasterImage;
  /** What each pixel is counted as, by head. */
  readonly targets: readonly Int32Array[];
}

/** The counts [numTargets, numClasses] of an image, by head. */
export interface Counted {
  readonly index: number;
  readonly matrices: readonly Float64Array[];
}

/** Groups neighbouring images of the same size into batches of at most `size`. */
export async function* batchesOf(items: AsyncIterable<Prepared>, size: number): AsyncGenerator<Prepared[]> {
  let batch: Prepared[] = [];
  for await (const item of items) {
    const first = batch[0]?.image;
    const { height, width, channels } = item.image;
    const fits = !first || (first.height === height && first.width === width && first.channels === channels);
    if (!fits || batch.length >= size) {
      yield batch;
      batch = [];
    }
    batch.push(item);
  }
  if (batch.length > 0) yield batch;
}

/**
 * Starts the prediction of a batch on the device and the counting of its images. `done` resolves to the counts.
 *
 * @param boards one per head of the inference
 */
export async function startCounting(
  inference: Inference,
  boards: readonly Scoreboard[],
  batch: readonly Prepared[],
): Promise<{ readonly done: Promise<Counted[]> }> {
  const { device } = inference;
  const images = batch.map(({ image }) => image);
  const counted = batch.map(({ index }): Counted => {
    return { index, matrices: boards.map(({ numClasses, numTargets }) => new Float64Array(numTargets * numClasses)) };
  });
  const reads: Promise<void>[] = [];
  await forEachStrip(inference, images, {}, ({ top, height, heads }) => {
    for (const [h, { classes, labels }] of heads.entries()) {
      const { numClasses, numTargets } = boards[h] as Scoreboard;
      if (classes > numClasses) throw tooFewClasses(classes, numClasses);
      const width = labels.shape[2] as number;
      for (const [n, { targets }] of batch.entries()) {
        const rows = (targets[h] as Int32Array).subarray(top * width, (top + height) * width);
        const prediction = batch.length === 1 ? labels : slice(labels, [[n, n + 1]]);
        const target = device.tensor(rows, [1, height, width], { dtype: "int32" });
        const matrix = counted[n]?.matrices[h] as Float64Array;
        const done = confusionMatrix(prediction, target, { numClasses, numTargets })
          .data()
          .then((counts) => {
            for (let i = 0; i < matrix.length; i++) matrix[i]! += counts[i]!;
          });
        done.catch(() => undefined);
        reads.push(done);
      }
    }
  });
  return { done: Promise.all(reads).then(() => counted) };
}

function tooFewClasses(classes: number, numClasses: number): TensorError {
  return invalidArgument(`evaluate: the net has ${classes} classes, but only ${numClasses} are scored`, {
    code: "pass the net's number of classes as numClasses, and data that is labelled with them",
    command: "evaluate on data that is labelled with the net's classes",
  });
}
