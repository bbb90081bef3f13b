import { checkValue, type Rule, rules } from "@fcn/tensor/internal";
import type { RandomSource } from "../data/random.js";
import { VOID_LABEL } from "../labels/sample.js";

/**
 * Patchwise training as sampling of the loss (sections 3.4 and 4.4 of the FCN paper): of all receptive fields of an
 * image only some count. The loss of those that are kept is divided by the probability, so that it and its gradient
 * have the expectation of the whole image's.
 */
export interface LossSampling {
  /** Probability that a cell counts, above 0 to 1. */
  readonly probability: number;
  /** Side of a cell in pixels: the stride of the net to drop whole outputs. Default 1, each pixel by itself. */
  readonly cell?: number;
}

/** Of {@link LossSampling}. */
export const lossSamplingRule: Rule<LossSampling> = rules.rule(
  "{ probability } above 0 and at most 1, with a whole number of pixels as cell or without one, such as { probability: 0.25, cell: 32 }",
  (value) => {
    const { probability = 0, cell = 1 } = (value ?? {}) as Partial<LossSampling>;
    return probability > 0 && probability <= 1 && rules.whole(1).holds(cell);
  },
);

/**
 * A copy of labels [N, height, width] in which the cells that do not count are void. One random number is drawn for
 * each cell, so that the same source gives the same cells.
 */
export function sampleLabels(
  labels: Int32Array,
  [height, width]: readonly [number, number],
  sampling: LossSampling,
  random: RandomSource,
): Int32Array {
  checkValue("sampleLabels", "lossSampling", sampling, lossSamplingRule);
  const { probability, cell = 1 } = sampling;
  const columns = Math.ceil(width / cell);
  const perImage = Math.ceil(height / cell) * columns;
  const kept = Uint8Array.from({ length: (labels.length / (height * width)) * perImage }, () =>
    random() < probability ? 1 : 0,
  );
  return labels.map((label, i) => {
    const pixel = i % (height * width);
    const row = Math.floor(Math.floor(pixel / width) / cell);
    const at = Math.floor(i / (height * width)) * perImage + row * columns + Math.floor((pixel % width) / cell);
    return kept[at] === 1 ? label : VOID_LABEL;
  });
}
