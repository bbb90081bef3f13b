import type { Tensor } from "../core/tensor.js";
import { ADAPTIVE_AVG_POOL2D, type AdaptiveAvgPool2dOptions } from "../ops/adaptiveAvgPool2d.js";
import { AVG_POOL2D, type AvgPool2dOptions } from "../ops/avgPool2d.js";
import { adaptiveAvgPool2d, avgPool2d, interpolate, maxPool2d } from "../ops/index.js";
import { INTERPOLATE, type InterpolateOptions } from "../ops/interpolate.js";
import { MAX_POOL2D, type MaxPool2dOptions } from "../ops/maxPool2d.js";
import { checkOptions } from "../plain/options.js";
import type { RulesOf } from "../plain/rules.js";
import { Module } from "./module.js";
import { listed, python } from "./repr.js";

/** A layer without parameters: an op with fixed options, which are checked when the layer is made. */
export abstract class OpLayer<Options extends object> extends Module {
  protected readonly options: Options;

  constructor(
    name: string,
    private readonly op: (x: Tensor, options: Options) => Tensor,
    rules: RulesOf<Options>,
    options: Options,
  ) {
    super();
    checkOptions<Options>(name, options, rules);
    this.options = options;
  }

  override forward(x: Tensor): Tensor {
    return this.op(x, this.options);
  }
}

/** Max pooling with the options of {@link maxPool2d} (torch.nn.MaxPool2d). */
export class MaxPool2d extends OpLayer<MaxPool2dOptions> {
  constructor(options: MaxPool2dOptions) {
    super("nn.MaxPool2d", maxPool2d, MAX_POOL2D, options);
  }

  override extraRepr(): string {
    const { kernelSize, stride = kernelSize, padding = 0, dilation = 1, ceilMode = false } = this.options;
    return listed({ kernel_size: kernelSize, stride, padding, dilation, ceil_mode: ceilMode });
  }
}

/** Average pooling with the options of {@link avgPool2d} (torch.nn.AvgPool2d). */
export class AvgPool2d extends OpLayer<AvgPool2dOptions> {
  constructor(options: AvgPool2dOptions) {
    super("nn.AvgPool2d", avgPool2d, AVG_POOL2D, options);
  }

  override extraRepr(): string {
    const { kernelSize, stride = kernelSize, padding = 0 } = this.options;
    return listed({ kernel_size: kernelSize, stride, padding });
  }
}

/** Average pooling to a size, with the options of {@link adaptiveAvgPool2d} (torch.nn.AdaptiveAvgPool2d). */
export class AdaptiveAvgPool2d extends OpLayer<AdaptiveAvgPool2dOptions> {
  constructor(options: AdaptiveAvgPool2dOptions) {
    super("nn.AdaptiveAvgPool2d", adaptiveAvgPool2d, ADAPTIVE_AVG_POOL2D, options);
  }

  override extraRepr(): string {
    return listed({ output_size: this.options.outputSize });
  }
}

/** Resizing with the options of {@link interpolate} (torch.nn.Upsample). */
export class Upsample extends OpLayer<InterpolateOptions> {
  constructor(options: InterpolateOptions) {
    super("nn.Upsample", interpolate, INTERPOLATE, options);
  }

  override extraRepr(): string {
    const { size, scaleFactor, mode = "nearest" } = this.options;
    return listed({ scale_factor: scaleFactor === undefined ? undefined : floats(scaleFactor), size, mode });
  }
}

/** Scale factors as PyTorch keeps them: whole ones print with ".0". */
const floats = (factor: number | readonly number[]): string => {
  const text = (value: number) => (Number.isInteger(value) ? `${value}.0` : python(value));
  return typeof factor === "number" ? text(factor) : `(${factor.map(text).join(", ")})`;
};
