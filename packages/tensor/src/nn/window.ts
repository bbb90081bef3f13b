import { AVG_POOL2D, type AvgPool2dOptions } from "../ops/avgPool2d.js";
import { avgPool2d, interpolate, maxPool2d } from "../ops/index.js";
import { INTERPOLATE, type InterpolateOptions } from "../ops/interpolate.js";
import { MAX_POOL2D, type MaxPool2dOptions } from "../ops/maxPool2d.js";
import { checkOptions } from "../options.js";
import type { Tensor } from "../tensor.js";
import { Module } from "./module.js";

/** Max pooling with the options of {@link maxPool2d} (torch.nn.MaxPool2d). */
export class MaxPool2d extends Module {
  readonly #options: MaxPool2dOptions;

  constructor(options: MaxPool2dOptions) {
    super();
    checkOptions<MaxPool2dOptions>("nn.MaxPool2d", options, MAX_POOL2D);
    this.#options = options;
  }

  override forward(x: Tensor): Tensor {
    return maxPool2d(x, this.#options);
  }
}

/** Average pooling with the options of {@link avgPool2d} (torch.nn.AvgPool2d). */
export class AvgPool2d extends Module {
  readonly #options: AvgPool2dOptions;

  constructor(options: AvgPool2dOptions) {
    super();
    checkOptions<AvgPool2dOptions>("nn.AvgPool2d", options, AVG_POOL2D);
    this.#options = options;
  }

  override forward(x: Tensor): Tensor {
    return avgPool2d(x, this.#options);
  }
}

/** Resizing with the options of {@link interpolate} (torch.nn.Upsample). */
export class Upsample extends Module {
  readonly #options: InterpolateOptions;

  constructor(options: InterpolateOptions) {
    super();
    checkOptions<InterpolateOptions>("nn.Upsample", options, INTERPOLATE);
    this.#options = options;
  }

  override forward(x: Tensor): Tensor {
    return interpolate(x, this.#options);
  }
}
