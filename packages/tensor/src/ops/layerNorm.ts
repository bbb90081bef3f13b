import type { Tensor } from "../core/tensor.js";
import { invalidShape, show } from "../plain/errors.js";
import { checkOptions } from "../plain/options.js";
import { checkedInUse, from, type RulesOf, required, rule } from "../plain/rules.js";
import { elementsOf, sameShape } from "../plain/shape.js";
import { concat, slice } from "./movement.js";
import { normalise } from "./norm.js";
import { checkFloat, checkReal } from "./operands.js";
import { reshape } from "./view.js";

export interface LayerNormOptions {
  /** The last dims of x, over which it is normalised; a number for one dim. */
  readonly normalizedShape: number | readonly number[];
  /** Scale of each element, of shape `normalizedShape`. */
  readonly weight?: Tensor | undefined;
  /** Shift of each element, of shape `normalizedShape`. */
  readonly bias?: Tensor | undefined;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number | undefined;
}

const OP = "layerNorm";

const isSize = (size: unknown): boolean => Number.isSafeInteger(size) && (size as number) >= 1;

/** @internal */
export const NORMALIZED_SHAPE = required(
  rule<number | readonly number[]>("a whole number of at least 1 or a list of them", (value) =>
    Array.isArray(value) ? value.length > 0 && value.every(isSize) : isSize(value),
  ),
);

const OPTIONS: RulesOf<LayerNormOptions> = {
  normalizedShape: NORMALIZED_SHAPE,
  weight: checkedInUse,
  bias: checkedInUse,
  eps: from(0),
};

/**
 * Normalises x over its last dims to mean 0 and (biased) variance 1, then scales by `weight` and adds `bias`
 * (torch.nn.functional.layer_norm; Ba, Kiros and Hinton 2016). x: float32 or float16 [..., ...normalizedShape]. Throws
 * `invalid-shape` if x does not end in `normalizedShape`, or a weight or bias has another shape.
 */
export function layerNorm(x: Tensor, options: LayerNormOptions): Tensor {
  checkOptions<LayerNormOptions>(OP, options, OPTIONS);
  checkReal(OP, "x", x);
  const { normalizedShape, weight, bias, eps = 1e-5 } = options;
  const wanted = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
  const lead = x.shape.length - wanted.length;
  if (lead < 0 || !sameShape(x.shape.slice(lead), wanted)) {
    throw invalidShape(
      `${OP}: x has shape ${show(x.shape)}, which does not end in normalizedShape ${show(wanted)}`,
      "pass the sizes of the last dims of x",
    );
  }
  for (const [name, vector] of Object.entries({ weight, bias })) {
    if (!vector) continue;
    checkFloat(OP, name, vector);
    if (sameShape(vector.shape, wanted)) continue;
    throw invalidShape(
      `${OP}: ${name} has shape ${show(vector.shape)}, expected ${show(wanted)}`,
      `pass a ${name} of shape normalizedShape`,
    );
  }
  const channels = elementsOf(wanted);
  using flat = reshape(x, [x.size / channels, channels]);
  using scale = weight && reshape(weight, [channels]);
  using shift = bias && reshape(bias, [channels]);
  using y = normaliseRows(flat, { weight: scale, bias: shift }, eps);
  return reshape(y, x.shape);
}

/** Each row is an image of one pixel, all of whose channels are one group. */
function normaliseRows(
  x: Tensor,
  vectors: { readonly weight: Tensor | undefined; readonly bias: Tensor | undefined },
  eps: number,
): Tensor {
  const [images, channels] = x.shape as [number, number];
  // A pass over rows of one pixel leaves two numbers for each element, and what it leaves is bound whole.
  const most = Math.max(1, Math.floor(x.runtime.capabilities.bindingLimit / 8 / channels));
  if (images <= most) return normalise(OP, x, vectors, { images, rows: 1, channels, groups: 1, frozen: false, eps });
  const blocks: Tensor[] = [];
  for (let begin = 0; begin < images; begin += most) {
    using block = slice(x, [[begin, Math.min(images, begin + most)]]);
    blocks.push(normaliseRows(block, vectors, eps));
  }
  const y = concat(blocks, { dim: 0 });
  for (const block of blocks) block.dispose();
  return y;
}
