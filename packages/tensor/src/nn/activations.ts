import type { Tensor } from "../core/tensor.js";
import {
  type GeluOptions,
  gelu,
  hardsigmoid,
  hardswish,
  leakyRelu,
  relu,
  relu6,
  type SoftmaxOptions,
  sigmoid,
  silu,
  softmax,
  tanh,
} from "../ops/index.js";
import { SOFTMAX } from "../ops/softmax.js";
import { checkOptions } from "../plain/options.js";
import { finite, oneOf } from "../plain/rules.js";
import { Module } from "./module.js";
import { OpLayer } from "./opLayers.js";
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

/** The hyperbolic tangent (torch.nn.Tanh). */
export class Tanh extends Module {
  override forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/** x * sigmoid(x) (torch.nn.SiLU). */
export class SiLU extends Module {
  override forward(x: Tensor): Tensor {
    return silu(x);
  }
}

/** x * min(max(x + 3, 0), 6) / 6 (torch.nn.Hardswish). */
export class Hardswish extends Module {
  override forward(x: Tensor): Tensor {
    return hardswish(x);
  }
}

/** min(max(x + 3, 0), 6) / 6 (torch.nn.Hardsigmoid). */
export class Hardsigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return hardsigmoid(x);
  }
}

/** {@link gelu} with fixed options (torch.nn.GELU). */
export class GELU extends OpLayer<GeluOptions> {
  constructor(options: GeluOptions = {}) {
    super("nn.GELU", gelu, { approximate: oneOf("none", "tanh") }, options);
  }

  override extraRepr(): string {
    return listed({ approximate: `'${this.options.approximate ?? "none"}'` });
  }
}

/** {@link softmax} along a dim (torch.nn.Softmax). */
export class Softmax extends OpLayer<SoftmaxOptions> {
  constructor(options: SoftmaxOptions) {
    super("nn.Softmax", softmax, SOFTMAX, options);
  }

  override extraRepr(): string {
    return listed({ dim: this.options.dim });
  }
}
