import { checkValue, rules } from "@fcn/tensor/internal";
import { nanMean } from "../labels/metrics.js";

/** Scores of the objects of one size. */
export interface SizeScores {
  readonly name: "small" | "medium" | "large";
  /** Smallest area of this size in pixels, and the area from which objects are larger. */
  readonly from: number;
  readonly below: number;
  /** Number of objects counted: pairs of an image and a class in it. */
  readonly objects: number;
  /** Mean of `perClassIU` over the classes that have objects of this size. */
  readonly meanIU: number;
  readonly perClassIU: readonly number[];
}

/** What is counted of the objects of one size, in whole numbers. */
export interface SizeCounts {
  readonly intersection: readonly number[];
  readonly union: readonly number[];
  readonly objects: number;
}

/** COCO's areas: small below 32 x 32 pixels, medium below 96 x 96. */
export const COCO_SIZES = [32 ** 2, 96 ** 2] as const;

/**
 * Intersection over union by object size. All pixels of one class in one image are one object, because label maps do
 * not distinguish instances. Its area decides to which group the image's intersection and union of that class are
 * added. Pixels predicted as a class that the image lacks belong to no object, so they count only in the other scores.
 */
export class ObjectSizes {
  readonly #bounds: readonly number[];
  readonly #groups: readonly { readonly intersection: Float64Array; readonly union: Float64Array; objects: number }[];

  constructor(
    private readonly numClasses: number,
    sizes: readonly [small: number, medium: number],
  ) {
    checkValue("evaluate", "sizes", sizes, sizesRule);
    this.#bounds = [1, ...sizes, Number.POSITIVE_INFINITY];
    this.#groups = NAMES.map(() => ({
      intersection: new Float64Array(numClasses),
      union: new Float64Array(numClasses),
      objects: 0,
    }));
  }

  /** Adds the row-major confusion matrix of one image. */
  add(confusion: Float64Array): void {
    const n = this.numClasses;
    for (let label = 0; label < n; label++) {
      let [truth, predicted] = [0, 0];
      for (let other = 0; other < n; other++) {
        truth += confusion[label * n + other]!;
        predicted += confusion[other * n + label]!;
      }
      if (truth === 0) continue;
      const index = this.#bounds.findIndex((_, i) => truth < this.#bounds[i + 1]!);
      const group = this.#groups[index]!;
      const right = confusion[label * n + label]!;
      group.intersection[label]! += right;
      group.union[label]! += truth + predicted - right;
      group.objects++;
    }
  }

  /** What was counted of each size. */
  get counts(): SizeCounts[] {
    return this.#groups.map(({ intersection, union, objects }) => {
      return { intersection: [...intersection], union: [...union], objects };
    });
  }

  /** Adds what another object counted. */
  addCounts(counts: readonly SizeCounts[]): void {
    for (const [i, group] of this.#groups.entries()) {
      const { intersection, union, objects } = counts[i] as SizeCounts;
      for (let label = 0; label < this.numClasses; label++) {
        group.intersection[label]! += intersection[label]!;
        group.union[label]! += union[label]!;
      }
      group.objects += objects;
    }
  }

  compute(): SizeScores[] {
    return NAMES.map((name, i) => {
      const { intersection, union, objects } = this.#groups[i]!;
      const perClassIU = Array.from(intersection, (right, label) => right / union[label]!);
      const [from, below] = [this.#bounds[i]!, this.#bounds[i + 1]!];
      return { name, from, below, objects, meanIU: nanMean(perClassIU), perClassIU };
    });
  }
}

const NAMES = ["small", "medium", "large"] as const;

const sizesRule = rules.rule(
  "two rising areas in pixels, such as COCO's [1024, 9216]",
  (value) => Array.isArray(value) && value.length === 2 && value[0] > 0 && value[1] > value[0],
);
