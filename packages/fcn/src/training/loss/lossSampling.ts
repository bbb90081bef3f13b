import type { Rule } from "@fcn/tensor";
import { checkValue, rules } from "@fcn/tensor/internal";
import type { RandomSource } from "../../data/random.js";
import { VOID_LABEL } from "../../labels/sample.js";

/**
 * Patchwise training as sampling of the loss (sections 3.4 and 4.4 of the FCN paper): only some of an image's receptive
 * fields count. The loss of those kept is divided by the probability, so that it and its gradient have the same
 * expectation as for the whole image.
 */
export interface LossSampling {
  /** Probability that a cell counts, above 0 and at most 1. */
  readonly probability: number;
  /** Side of a cell in pixels. Default 1: each pixel by itself. Use the net's stride to drop whole outputs. */
  readonly cell?: number;
}

/** The option rule for {@link LossSampling}. */
export const lossSamplingRule: Rule<LossSampling> = rules.rule(
  "{ probability } above 0 and at most 1, with a whole number of pixels as cell or without one, such as { probability: 0.25, cell: 32 }",
  (value) => {
    const { probability = 0, cell = 1 } = (value ?? {}) as Partial<LossSampling>;
    return probability > 0 && probability <= 1 && rules.whole(1).holds(cell);
  },
);

/**
 * A copy of the labels [N, height, width] in which the cells that do not count are void. Draws one random number per
 * cell, so that the same source gives the same cells.
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
