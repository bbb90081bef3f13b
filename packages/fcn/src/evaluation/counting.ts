import { confusionMatrix, slice, type TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { type RasterImage, VOID_LABEL } from "../labels/sample.js";
import type { HeadScores } from "../models/graph/tails.js";
import type { Inference } from "../prediction/inference.js";
import { forEachStrip, type HeadStrip, type Strip } from "../prediction/strips.js";
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

/** Rows of an image, as a head scores them. */
export interface MeasuredStrip {
  readonly head: string;
  readonly scores: HeadScores;
  /** int32, 255 for void. */
  readonly labels: Int32Array;
  readonly pixels: number;
}

/** What else is measured of the scores that labels come from, one image at a time and in one view. */
export interface ScoreMeasure {
  /** The heads to measure. */
  readonly heads: readonly string[];
  /** Whether scores must have the size of the image. */
  readonly takesLogits: boolean;
  /** Called with each strip of each image, in order, and awaited; the scores are freed after that. */
  add(strip: MeasuredStrip): Promise<void>;
}

/** A measure, and for each of its heads the place among the inference's heads and that of its labels. */
export interface Measuring {
  readonly measure: ScoreMeasure;
  readonly places: readonly { readonly head: string; readonly scores: number; readonly labels: number }[];
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
  measuring?: Measuring,
): Promise<{ readonly done: Promise<Counted[]> }> {
  const { device } = inference;
  const images = batch.map(({ image }) => image);
  const counted = batch.map(({ index }): Counted => {
    return { index, matrices: boards.map(({ numClasses, numTargets }) => new Float64Array(numTargets * numClasses)) };
  });
  const reads: Promise<void>[] = [];
  const options = { logits: measuring?.measure.takesLogits === true };
  await forEachStrip(inference, images, options, async ({ top, height, heads }) => {
    for (const [h, { classes, labels }] of heads.slice(0, boards.length).entries()) {
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
    if (measuring) await measureStrip(measuring, { top, height, heads }, batch[0] as Prepared);
  });
  return { done: Promise.all(reads).then(() => counted) };
}

async function measureStrip({ measure, places }: Measuring, { top, height, heads }: Strip, image: Prepared) {
  const { width } = image.image;
  for (const { head, scores, labels } of places) {
    const rows = (image.targets[labels] as Int32Array).subarray(top * width, (top + height) * width);
    const own = rows.map((target) => (target < 0 ? VOID_LABEL : target));
    await measure.add({ head, scores: (heads[scores] as HeadStrip).scores, labels: own, pixels: height * width });
  }
}

function tooFewClasses(classes: number, numClasses: number): TensorError {
  return invalidArgument(`evaluate: the net has ${classes} classes, but only ${numClasses} are scored`, {
    code: "pass the net's number of classes as numClasses, and data that is labelled with them",
    command: "evaluate on data that is labelled with the net's classes",
  });
}
