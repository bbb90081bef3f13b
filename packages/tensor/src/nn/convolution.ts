import type { Tensor } from "../core/tensor.js";
import type { Device } from "../device.js";
import { CONV_TRANSPOSE2D, CONV2D, type Conv2dOptions, type ConvTranspose2dOptions } from "../ops/conv.js";
import { conv2d, convTranspose2d } from "../ops/index.js";
import { checkOptions } from "../plain/options.js";
import { boolean, extent, type RulesOf, required, seed as seedRule } from "../plain/rules.js";
import { type Extent, pair } from "../plain/shape.js";
import { checkChannels, convolutionParameters, nextSeed } from "./initialise.js";
import { Module } from "./module.js";
import { listed } from "./repr.js";

export interface ConvolutionLayerOptions {
  /** Rows and columns of the kernel. */
  readonly kernelSize: Extent;
  /** Default true. */
  readonly bias?: boolean;
  /** Determines the initial values. Default: the number of unseeded layers created on the device before this one. */
  readonly seed?: number;
}

export interface Conv2dLayerOptions extends ConvolutionLayerOptions, Conv2dOptions {}

export interface ConvTranspose2dLayerOptions extends ConvolutionLayerOptions, ConvTranspose2dOptions {}

const LAYER: RulesOf<ConvolutionLayerOptions> = { kernelSize: required(extent(1)), bias: boolean, seed: seedRule };

/** The parameters of either convolution. `rows` are the channels that the first dimension of the weight counts. */
export abstract class Convolution<Options extends Conv2dLayerOptions> extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  readonly #channels: string;
  readonly #kernelSize: readonly [number, number];
  protected readonly options: Omit<Options, keyof ConvolutionLayerOptions>;

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
    this.#channels = `${inChannels}, ${outChannels}`;
    this.#kernelSize = pair(kernelSize);
  }

  /** Options that are the default are left out, as in PyTorch, but for kernel size and stride. */
  override extraRepr(): string {
    const {
      stride = 1,
      padding = 0,
      dilation = 1,
      groups = 1,
      outputPadding = 0,
    } = this.options as ConvTranspose2dOptions;
    const unless = (normal: number, value: number | readonly unknown[]) => {
      const both = typeof value === "number" ? [value, value] : value;
      return both.every((side) => side === normal) ? undefined : both;
    };
    const options = {
      kernel_size: this.#kernelSize,
      stride: pair(stride),
      padding: unless(0, padding),
      dilation: unless(1, dilation),
      output_padding: unless(0, outputPadding),
      groups: groups === 1 ? undefined : groups,
      bias: this.bias ? undefined : false,
    };
    return `${this.#channels}, ${listed(options)}`;
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
