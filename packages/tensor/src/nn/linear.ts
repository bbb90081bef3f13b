import type { Tensor } from "../core/tensor.js";
import type { Device } from "../device.js";
import { linear } from "../ops/index.js";
import { checkOptions, checkValues } from "../plain/options.js";
import { boolean, seed as seedRule, whole } from "../plain/rules.js";
import { mixSeed, nextSeed } from "./initialise.js";
import { Module } from "./module.js";
import { listed } from "./repr.js";

export interface LinearOptions {
  /** Default true. */
  readonly bias?: boolean;
  /** Determines the initial values. Default: the number of unseeded layers created on the device before this one. */
  readonly seed?: number;
}

/**
 * Fully connected layer (torch.nn.Linear): [..., inFeatures] -> [..., outFeatures], float32. Learns `weight`
 * [outFeatures, inFeatures] and `bias` [outFeatures], which start uniform within 1 / sqrt(inFeatures).
 */
export class Linear extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;

  constructor(device: Device, inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    checkOptions<LinearOptions>("nn.Linear", options, { bias: boolean, seed: seedRule });
    checkValues("nn.Linear", [
      ["inFeatures", inFeatures, whole(1)],
      ["outFeatures", outFeatures, whole(1)],
    ]);
    const { bias = true, seed = nextSeed(device) } = options;
    const bound = 1 / Math.sqrt(inFeatures);
    const draw = (shape: number[], part: number): Tensor =>
      device.rand(shape, { low: -bound, high: bound, seed: mixSeed(seed, part) });
    this.weight = draw([outFeatures, inFeatures], 0);
    this.bias = bias ? draw([outFeatures], 1) : undefined;
    this.registerParameter("weight", this.weight);
    if (this.bias) this.registerParameter("bias", this.bias);
  }

  override forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }

  override extraRepr(): string {
    const [outFeatures, inFeatures] = this.weight.shape;
    return listed({ in_features: inFeatures, out_features: outFeatures, bias: this.bias !== undefined });
  }
}
