import type { Tensor } from "../core/tensor.js";
import type { Device } from "../device.js";
import { CONV_TRANSPOSE2D, CONV2D, type Conv2dOptions, type ConvTranspose2dOptions } from "../ops/conv.js";
import { conv2d, convTranspose2d } from "../ops/index.js";
import { checkOptions } from "../plain/options.js";
import { boolean, extent, type RulesOf, required, seed as seedRule } from "../plain/rules.js";
import { type Extent, pair } from "../plain/shape.js";
import { checkChannels, convolutionParameters, nextSeed } from "./initialise.js";
import { Module } from "./module.js";

interface LayerOptions {
  /** Rows and columns of the kernel. */
  readonly kernelSize: Extent;
  /** Default true. */
  readonly bias?: boolean;
  /** Determines the initial values. Default: the number of unseeded layers created on the device before this one. */
  readonly seed?: number;
}

export interface Conv2dLayerOptions extends LayerOptions, Conv2dOptions {}

export interface ConvTranspose2dLayerOptions extends LayerOptions, ConvTranspose2dOptions {}

const LAYER: RulesOf<LayerOptions> = { kernelSize: required(extent(1)), bias: boolean, seed: seedRule };

/** The parameters of either convolution. `rows` are the channels that the first dimension of the weight counts. */
abstract class Convolution<Options extends Conv2dLayerOptions> extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  protected readonly options: Omit<Options, keyof LayerOptions>;

  constructor(
    op: string,
    device: Device,
    [inChannels, outChannels]: readonly [number, number],
    rows: "in" | "out",
    options: Options,
    rules: RulesOf<Options>,
  ) {
    super();
    checkOptions<Options>(op, options, rules);
    const { kernelSize, bias = true, seed, ...rest } = options;
    const { groups = 1 } = rest;
    checkChannels(op, inChannels, outChannels, groups);
    this.options = rest;
    const [first, second] = rows === "out" ? [outChannels, inChannels] : [inChannels, outChannels];
    const shape = [first, second / groups, ...pair(kernelSize)] as const;
    const made = convolutionParameters(device, shape, bias ? outChannels : undefined, seed ?? nextSeed(device));
    this.weight = made.weight;
    this.bias = made.bias;
    this.registerParameter("weight", made.weight);
    if (made.bias) this.registerParameter("bias", made.bias);
  }
}

/** 2-D convolution (torch.nn.Conv2d): `weight` [outChannels, inChannels / groups, kh, kw], `bias` [outChannels]. */
export class Conv2d extends Convolution<Conv2dLayerOptions> {
  constructor(device: Device, inChannels: number, outChannels: number, options: Conv2dLayerOptions) {
    super("nn.Conv2d", device, [inChannels, outChannels], "out", options, { ...LAYER, ...CONV2D });
  }

  override forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.options);
  }
}

/**
 * 2-D transposed convolution (torch.nn.ConvTranspose2d): `weight` [inChannels, outChannels / groups, kh, kw], `bias`
 * [outChannels].
 */
export class ConvTranspose2d extends Convolution<ConvTranspose2dLayerOptions> {
  constructor(device: Device, inChannels: number, outChannels: number, options: ConvTranspose2dLayerOptions) {
    super("nn.ConvTranspose2d", device, [inChannels, outChannels], "in", options, { ...LAYER, ...CONV_TRANSPOSE2D });
  }

  override forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, this.bias, this.options);
  }
}
