import type { Tensor } from "../core/tensor.js";
import type { Device } from "../device.js";
import { batchNorm } from "../ops/index.js";
import { checkOptions } from "../plain/options.js";
import { from, probability } from "../plain/rules.js";
import { checkChannels } from "./initialise.js";
import { Module } from "./module.js";
import { listed } from "./repr.js";

export interface BatchNorm2dOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Weight of the new batch in the running statistics. Default 0.1. */
  readonly momentum?: number;
}

/**
 * Batch normalisation of [N, channels, H, W] (torch.nn.BatchNorm2d). `weight` and `bias` [channels] are learned;
 * `running_mean` and `running_var` [channels] are updated in training and used in evaluation.
 */
export class BatchNorm2d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
  readonly #eps: number;
  readonly #momentum: number;

  constructor(device: Device, channels: number, options: BatchNorm2dOptions = {}) {
    super();
    checkOptions<BatchNorm2dOptions>("nn.BatchNorm2d", options, { eps: from(0), momentum: probability });
    const { eps = 1e-5, momentum = 0.1 } = options;
    checkChannels("nn.BatchNorm2d", channels, channels, 1);
    this.#eps = eps;
    this.#momentum = momentum;
    this.weight = device.ones([channels]);
    this.bias = device.zeros([channels]);
    this.runningMean = device.zeros([channels]);
    this.runningVar = device.ones([channels]);
    this.registerParameter("weight", this.weight);
    this.registerParameter("bias", this.bias);
    this.registerBuffer("running_mean", this.runningMean);
    this.registerBuffer("running_var", this.runningVar);
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias, runningMean, runningVar, training } = this;
    return batchNorm(x, { weight, bias, runningMean, runningVar, eps: this.#eps, momentum: this.#momentum, training });
  }

  override extraRepr(): string {
    const options = { eps: this.#eps, momentum: this.#momentum, affine: true, track_running_stats: true };
    return `${this.weight.size}, ${listed(options)}`;
  }
}
