import { avgPool2d, interpolate, maxPool2d } from "../ops/index.js";
import type { Tensor } from "../tensor.js";
import { Module } from "./module.js";

/** torch.nn.MaxPool2d; the options are those of `maxPool2d`. */
export class MaxPool2d extends Module {
  readonly #options: Parameters<typeof maxPool2d>[1];

  constructor(options: Parameters<typeof maxPool2d>[1]) {
    super();
    this.#options = options;
  }

  override forward(x: Tensor): Tensor {
    return maxPool2d(x, this.#options);
  }
}

/** torch.nn.AvgPool2d; the options are those of `avgPool2d`. */
export class AvgPool2d extends Module {
  readonly #options: Parameters<typeof avgPool2d>[1];

  constructor(options: Parameters<typeof avgPool2d>[1]) {
    super();
    this.#options = options;
  }

  override forward(x: Tensor): Tensor {
    return avgPool2d(x, this.#options);
  }
}

/** torch.nn.Upsample; the options are those of `interpolate`. */
export class Upsample extends Module {
  readonly #options: Parameters<typeof interpolate>[1];

  constructor(options: Parameters<typeof interpolate>[1]) {
    super();
    this.#options = options;
  }

  override forward(x: Tensor): Tensor {
    return interpolate(x, this.#options);
  }
}
