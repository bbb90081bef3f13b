import type { Tensor } from "../core/tensor.js";
import type { Device } from "../device.js";
import { groupNorm } from "../ops/index.js";
import { checkOptions } from "../plain/options.js";
import { from } from "../plain/rules.js";
import { checkChannels } from "./initialise.js";
import { Module } from "./module.js";
import { listed } from "./repr.js";

export interface GroupNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

/**
 * Group normalisation (torch.nn.GroupNorm), the same in training and evaluation. Learns `weight` and `bias` [channels].
 */
export class GroupNorm extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly #groups: number;
  readonly #eps: number;

  constructor(device: Device, groups: number, channels: number, options: GroupNormOptions = {}) {
    super();
    checkOptions<GroupNormOptions>("nn.GroupNorm", options, { eps: from(0) });
    const { eps = 1e-5 } = options;
    checkChannels("nn.GroupNorm", channels, channels, groups);
    this.#groups = groups;
    this.#eps = eps;
    this.weight = device.ones([channels]);
    this.bias = device.zeros([channels]);
    this.registerParameter("weight", this.weight);
    this.registerParameter("bias", this.bias);
  }

  override forward(x: Tensor): Tensor {
    return groupNorm(x, { groups: this.#groups, weight: this.weight, bias: this.bias, eps: this.#eps });
  }

  override extraRepr(): string {
    return `${this.#groups}, ${this.weight.size}, ${listed({ eps: this.#eps, affine: true })}`;
  }
}
