import type { Tensor } from "../core/tensor.js";
import type { Device } from "../device.js";
import { layerNorm } from "../ops/index.js";
import { NORMALIZED_SHAPE } from "../ops/layerNorm.js";
import { checkOptions, checkValue } from "../plain/options.js";
import { boolean, from } from "../plain/rules.js";
import { Module } from "./module.js";
import { listed, python } from "./repr.js";

export interface LayerNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Whether to learn a weight and a bias. Default true. */
  readonly elementwiseAffine?: boolean;
}

/**
 * Layer normalisation over the last dims (torch.nn.LayerNorm), the same in training and evaluation. Learns `weight` and
 * `bias` of shape `normalizedShape`, which start as 1 and 0, unless `elementwiseAffine` is false.
 */
export class LayerNorm extends Module {
  readonly weight: Tensor | undefined;
  readonly bias: Tensor | undefined;
  readonly #shape: readonly number[];
  readonly #eps: number;

  constructor(device: Device, normalizedShape: number | readonly number[], options: LayerNormOptions = {}) {
    super();
    checkOptions<LayerNormOptions>("nn.LayerNorm", options, { eps: from(0), elementwiseAffine: boolean });
    checkValue("nn.LayerNorm", "normalizedShape", normalizedShape, NORMALIZED_SHAPE);
    const { eps = 1e-5, elementwiseAffine = true } = options;
    this.#shape = typeof normalizedShape === "number" ? [normalizedShape] : [...normalizedShape];
    this.#eps = eps;
    if (!elementwiseAffine) return;
    this.weight = device.ones(this.#shape);
    this.bias = device.zeros(this.#shape);
    this.registerParameter("weight", this.weight);
    this.registerParameter("bias", this.bias);
  }

  override forward(x: Tensor): Tensor {
    return layerNorm(x, { normalizedShape: this.#shape, weight: this.weight, bias: this.bias, eps: this.#eps });
  }

  override extraRepr(): string {
    return `${python(this.#shape)}, ${listed({ eps: this.#eps, elementwise_affine: this.weight !== undefined })}`;
  }
}
