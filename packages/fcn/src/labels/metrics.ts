import { TensorError } from "@fcn/tensor";
import { checkValue, invalidArgument, invalidShape, rules } from "@fcn/tensor/internal";
import { type Labels, labelValues } from "./labels.js";

export interface SegmentationScores {
  /** Share of the counted pixels that are correct. */
  pixelAccuracy: number;
  /** Mean of `perClassAccuracy` over the classes that occur in the truth. */
  meanAccuracy: number;
  /** Mean of `perClassIU` over the classes that occur in the truth or the prediction. */
  meanIU: number;
  /** Mean of `perClassIU`, weighted by the frequency of each class in the truth. */
  frequencyWeightedIU: number;
  /** Intersection over union of each class; NaN for a class that occurs in neither truth nor prediction. */
  perClassIU: number[];
  /** Share of each class's pixels that are correct; NaN for a class that does not occur in the truth. */
  perClassAccuracy: number[];
  /** `confusion[i][j]` is the number of pixels of class i predicted as class j. */
  confusion: number[][];
}

/**
 * The four scores of the FCN paper (section 5), computed from the confusion matrix of everything counted: n_ij pixels
 * of class i predicted as class j. Scores lie in 0..1 and are NaN if nothing was counted. The means leave out classes
 * absent from truth and prediction, as in the reference implementation's `score.py`.
 *
 * @example
 * ```ts
 * import { SegmentationMetrics } from "@fcn/core";
 * const metrics = new SegmentationMetrics(2);
 * metrics.update([0, 1, 1, 0], [0, 1, 0, 255]); // prediction, then truth
 * console.log(metrics.compute().pixelAccuracy); // 2 of 3 labelled pixels
 * ```
 */
export class SegmentationMetrics {
  readonly numClasses: number;
  readonly ignoreIndex: number;
  #counts: Float64Array;

  constructor(numClasses: number, { ignoreIndex = 255 }: { ignoreIndex?: number } = {}) {
    checkValue("SegmentationMetrics", "numClasses", numClasses, rules.whole(1));
    this.numClasses = numClasses;
    this.ignoreIndex = ignoreIndex;
    this.#counts = new Float64Array(numClasses * numClasses);
  }

  /**
   * Counts a batch. `prediction` and `target` hold class indices, in the same number and order. Pixels whose target is
   * `ignoreIndex` are skipped, whatever their prediction. Throws `invalid-shape` if the lengths differ, and
   * `label-out-of-range` for any other label outside the classes; then nothing of the batch is counted.
   */
  update(prediction: Labels, target: Labels): this {
    const predicted = labelValues(prediction, "SegmentationMetrics.update prediction");
    const truth = labelValues(target, "SegmentationMetrics.update target");
    if (predicted.length !== truth.length) {
      throw invalidShape(
        `SegmentationMetrics.update: ${predicted.length} predictions for ${truth.length} targets`,
        "pass the argmax over classes at the size of the target, one label a pixel",
      );
    }
    this.#counts = this.#counted(predicted, truth);
    return this;
  }

  #counted(predicted: ArrayLike<number>, truth: ArrayLike<number>): Float64Array {
    const n = this.numClasses;
    const counts = this.#counts.slice();
    for (let i = 0; i < truth.length; i++) {
      const label = truth[i] ?? Number.NaN;
      if (label === this.ignoreIndex) continue;
      const guess = predicted[i] ?? Number.NaN;
      if (!this.#isClass(label)) throw this.#outOfRange("target", label, i);
      if (!this.#isClass(guess)) throw this.#outOfRange("prediction", guess, i);
      const cell = label * n + guess;
      counts[cell] = (counts[cell] ?? 0) + 1;
    }
    return counts;
  }

  #isClass(label: number): boolean {
    return Number.isInteger(label) && label >= 0 && label < this.numClasses;
  }

  #outOfRange(what: string, label: number, at: number): TensorError {
    const remedy =
      what === "target"
        ? `mark unlabelled pixels with ${this.ignoreIndex}, or raise numClasses`
        : "pass class indices (argmax), not scores";
    return new TensorError({
      code: "label-out-of-range",
      message: `SegmentationMetrics.update: ${what} ${label} at position ${at} is not one of the ${this.numClasses} classes 0 to ${this.numClasses - 1}`,
      fix: remedy,
    });
  }

  /**
   * Adds pixels counted elsewhere: element `i * numClasses + j` is the number of pixels of class i predicted as class
   * j. Throws `invalid-shape` unless there are numClasses^2 counts.
   */
  addConfusion(counts: ArrayLike<number>): this {
    if (counts.length !== this.#counts.length) {
      throw invalidShape(
        `SegmentationMetrics.addConfusion: ${counts.length} counts, but ${this.numClasses} classes have ${this.#counts.length}`,
        "pass the confusion matrix row by row, as the data of confusionMatrix has it",
      );
    }
    this.#counts = this.#counts.map((count, i) => count + (counts[i] ?? 0));
    return this;
  }

  /** Adds the counts of another object with the same classes. */
  merge(other: SegmentationMetrics): this {
    if (other.numClasses !== this.numClasses) {
      throw invalidArgument(
        `SegmentationMetrics.merge: ${other.numClasses} classes cannot be added to ${this.numClasses}`,
        "merge metrics of the same number of classes",
      );
    }
    return this.addConfusion(other.#counts);
  }

  /** Discards all counts. */
  reset(): this {
    this.#counts = new Float64Array(this.#counts.length);
    return this;
  }

  compute(): SegmentationScores {
    const n = this.numClasses;
    const confusion = Array.from({ length: n }, (_, i) => Array.from(this.#counts.subarray(i * n, (i + 1) * n)));
    const truth = confusion.map(total);
    const right = confusion.map((row, i) => row[i] ?? 0);
    const union = truth.map((t, i) => t + total(confusion.map((row) => row[i] ?? 0)) - (right[i] ?? 0));
    const pixels = total(truth);
    const perClassIU = right.map((r, i) => r / (union[i] ?? 0));
    const occurring = perClassIU.filter((_, i) => (truth[i] ?? 0) > 0);
    const perClassAccuracy = right.map((r, i) => r / (truth[i] ?? 0));
    const frequency = truth.filter((t) => t > 0).map((t) => t / pixels);
    return {
      pixelAccuracy: total(right) / pixels,
      meanAccuracy: nanMean(perClassAccuracy),
      meanIU: nanMean(perClassIU),
      frequencyWeightedIU: pixels === 0 ? Number.NaN : total(occurring.map((iu, i) => iu * (frequency[i] ?? 0))),
      perClassIU,
      perClassAccuracy,
      confusion,
    };
  }
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Mean of the values other than NaN; NaN if there are none. */
export function nanMean(values: readonly number[]): number {
  const present = values.filter((value) => !Number.isNaN(value));
  return total(present) / present.length;
}
