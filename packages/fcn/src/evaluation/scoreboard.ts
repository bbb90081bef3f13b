import { checkValue } from "@fcn/tensor/internal";
import { boundarySquares } from "../data/samples/boundary.js";
import { SegmentationMetrics, type SegmentationScores } from "../labels/metrics.js";
import { checkSample, type SegmentationSample, VOID_LABEL } from "../labels/sample.js";
import { number, numbers } from "../options/rules.js";
import { ObjectSizes, type SizeCounts, type SizeScores } from "./objectSizes.js";

/** Which pixels count as near a boundary. */
export interface BoundaryOptions {
  /** Euclidean distances, in pixels, to the nearest pixel of another side. Each gives one score. */
  readonly radii: readonly number[];
  /** The side of the boundary on which a class lies. Default: each class is its own side. */
  readonly side?: (label: number) => number;
}

const radius = number("a number of pixels from 1 to 256", (value) => value >= 1 && value <= 256);

/** The option rule for `radii`, unless there are none. */
export const radiiRule = numbers("numbers of pixels from 1 to 256, such as 1,2,4,8,16", radius);

/** Scores of only the pixels within `radius` of a boundary (a trimap). Void is neither counted nor a side. */
export interface BoundaryScores extends SegmentationScores {
  readonly radius: number;
}

export interface ScoreboardOptions {
  readonly boundary?: BoundaryOptions | undefined;
  /** Areas in pixels below which the objects of a class count as small and as medium. */
  readonly sizes?: readonly [small: number, medium: number] | undefined;
}

/** All that scores follow from, in whole numbers: their sum is the same in any order. */
export interface BoardCounts {
  /** Confusion matrices, from the ring nearest to a boundary to the rest. */
  readonly rings: readonly (readonly number[])[];
  readonly sizes?: readonly SizeCounts[];
}

/** The scores over all pixels, and those near boundaries and by object size if requested. */
export interface BoardScores extends SegmentationScores {
  readonly boundary?: readonly BoundaryScores[];
  readonly sizes?: readonly SizeScores[];
}

/**
 * Sums the counts of images. An image's pixels are divided into rings by their distance to the nearest boundary and
 * counted as `ring * numClasses + label` against the prediction, so that one pass gives every score.
 */
export class Scoreboard {
  readonly numClasses: number;
  /** Number of labels that {@link targets} may hold. */
  readonly numTargets: number;
  readonly #radii: readonly number[];
  readonly #side: (label: number) => number;
  readonly #rings: readonly SegmentationMetrics[];
  readonly #sizes: ObjectSizes | undefined;

  constructor(numClasses: number, { boundary, sizes }: ScoreboardOptions = {}) {
    this.numClasses = numClasses;
    this.#radii = [...(boundary?.radii ?? [])].sort((a, b) => a - b);
    if (this.#radii.length > 0) checkValue("evaluate", "radii", this.#radii, radiiRule);
    this.#side = boundary?.side ?? ((label) => label);
    this.#rings = [...this.#radii, Number.POSITIVE_INFINITY].map(() => new SegmentationMetrics(numClasses));
    this.numTargets = this.#rings.length * numClasses;
    this.#sizes = sizes ? new ObjectSizes(numClasses, sizes) : undefined;
  }

  /**
   * What each pixel of a sample is counted as; -1 for void. Throws if the sample is incomplete or has a label without a
   * class.
   */
  targets(sample: SegmentationSample): Int32Array {
    checkSample("evaluate", sample, this.numClasses);
    const { labels, image } = sample;
    const targets = Int32Array.from(labels);
    const outermost = this.#radii.length * this.numClasses;
    const squares =
      outermost > 0 && boundarySquares(labels, { ...image, radius: this.#radii.at(-1) as number, side: this.#side });
    for (let i = 0; i < targets.length; i++) {
      if (targets[i] === VOID_LABEL) targets[i] = -1;
      else if (squares) targets[i]! += this.#ring(squares[i]!) * this.numClasses;
    }
    return targets;
  }

  #ring(square: number): number {
    const ring = this.#radii.findIndex((radius) => square <= radius * radius);
    return ring < 0 ? this.#radii.length : ring;
  }

  /** Adds the counts [numTargets, numClasses] of one image. Returns its confusion matrix [numClasses, numClasses]. */
  add(counts: ArrayLike<number>): Float64Array {
    const cells = this.numClasses ** 2;
    const all = Array.from(counts);
    const image = new Float64Array(cells);
    for (const [ring, metrics] of this.#rings.entries()) {
      const part = all.slice(ring * cells, (ring + 1) * cells);
      metrics.addConfusion(part);
      for (let i = 0; i < cells; i++) image[i]! += part[i]!;
    }
    this.#sizes?.add(image);
    return image;
  }

  /** What was counted. */
  get counts(): BoardCounts {
    const rings = this.#rings.map((ring) => ring.compute().confusion.flat());
    return { rings, ...(this.#sizes && { sizes: this.#sizes.counts }) };
  }

  /** Adds what another board with the same options counted. */
  addCounts({ rings, sizes }: BoardCounts): void {
    for (const [i, ring] of this.#rings.entries()) ring.addConfusion(rings[i] ?? []);
    if (sizes) this.#sizes?.addCounts(sizes);
  }

  compute(): BoardScores {
    const seen = new SegmentationMetrics(this.numClasses);
    const within = this.#rings.map((ring) => seen.merge(ring).compute());
    const boundary = this.#radii.map((radius, i) => ({ radius, ...(within[i] as SegmentationScores) }));
    return {
      ...(within.at(-1) as SegmentationScores),
      ...(boundary.length > 0 && { boundary }),
      ...(this.#sizes && { sizes: this.#sizes.compute() }),
    };
  }
}
