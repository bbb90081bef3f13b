import type { Tensor } from "../core/tensor.js";
import { leakyRelu, relu, relu6, sigmoid } from "../ops/index.js";
import { checkOptions } from "../plain/options.js";
import { finite } from "../plain/rules.js";
import { Module } from "./module.js";
import { listed } from "./repr.js";

/** max(x, 0) (torch.nn.ReLU). */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** min(max(x, 0), 6) (torch.nn.ReLU6). */
export class ReLU6 extends Module {
  override forward(x: Tensor): Tensor {
    return relu6(x);
  }
}

/** x where x > 0, otherwise negativeSlope * x, by default 0.01 (torch.nn.LeakyReLU). */
export class LeakyReLU extends Module {
  readonly #slope: number;

  constructor(options: { readonly negativeSlope?: number } = {}) {
    super();
    checkOptions<{ readonly negativeSlope?: number }>("nn.LeakyReLU", options, { negativeSlope: finite });
    const { negativeSlope = 0.01 } = options;
    this.#slope = negativeSlope;
  }

  override forward(x: Tensor): Tensor {
    return leakyRelu(x, this.#slope);
  }

  override extraRepr(): string {
    return listed({ negative_slope: this.#slope });
  }
}

/** 1 / (1 + e^-x) (torch.nn.Sigmoid). */
export class Sigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}
