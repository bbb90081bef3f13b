import type { Device } from "../device.js";
import { CONV_TRANSPOSE2D, CONV2D } from "../ops/conv.js";
import { conv2d, convTranspose2d } from "../ops/index.js";
import { checkOptions } from "../options.js";
import { boolean, extent, required, seed as seedRule } from "../rules.js";
import { type Extent, type Padding, pair } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { checkChannels, convolutionParameters, nextSeed } from "./initialise.js";
import { Module } from "./module.js";

export interface Conv2dLayerOptions {
  /** Rows and columns of the kernel. */
  readonly kernelSize: Extent;
  /** Default 1. */
  readonly stride?: Extent;
  /** Default 0. */
  readonly padding?: Padding;
  /** Default 1. */
  readonly dilation?: Extent;
  /** Default 1. */
  readonly groups?: number;
  /** Default true. */
  readonly bias?: boolean;
  /** Determines the initial values. Default: the number of unseeded layers created on the device before this one. */
  readonly seed?: number;
}

export interface ConvTranspose2dLayerOptions extends Omit<Conv2dLayerOptions, "padding"> {
  /** Default 0. */
  readonly padding?: Extent;
  /** Rows and columns to add at the end of the output. Default 0. */
  readonly outputPadding?: Extent;
}

const LAYER = { kernelSize: required(extent(1)), bias: boolean, seed: seedRule } as const;

/** 2-D convolution (torch.nn.Conv2d): `weight` [outChannels, inChannels / groups, kh, kw], `bias` [outChannels]. */
export class Conv2d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  readonly #options: { stride: Extent; padding: Padding; dilation: Extent; groups: number };

  constructor(device: Device, inChannels: number, outChannels: number, options: Conv2dLayerOptions) {
    super();
    checkOptions<Conv2dLayerOptions>("nn.Conv2d", options, { ...LAYER, ...CONV2D });
    const { kernelSize, stride = 1, padding = 0, dilation = 1, groups = 1, bias = true } = options;
    checkChannels("nn.Conv2d", inChannels, outChannels, groups);
    const [kh, kw] = pair(kernelSize);
    this.#options = { stride, padding, dilation, groups };
    const seed = options.seed ?? nextSeed(device);
    const shape = [outChannels, inChannels / groups, kh, kw] as const;
    const made = convolutionParameters(device, shape, bias ? outChannels : undefined, seed);
    this.weight = made.weight;
    this.bias = made.bias;
    this.registerParameter("weight", made.weight);
    if (made.bias) this.registerParameter("bias", made.bias);
  }

  override forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.#options);
  }
}

/**
 * 2-D transposed convolution (torch.nn.ConvTranspose2d): `weight` [inChannels, outChannels / groups, kh, kw], `bias`
 * [outChannels].
 */
export class ConvTranspose2d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  readonly #options: { stride: Extent; padding: Extent; outputPadding: Extent; dilation: Extent; groups: number };

  constructor(device: Device, inChannels: number, outChannels: number, options: ConvTranspose2dLayerOptions) {
    super();
    checkOptions<ConvTranspose2dLayerOptions>("nn.ConvTranspose2d", options, { ...LAYER, ...CONV_TRANSPOSE2D });
    const { kernelSize, stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1, bias = true } = options;
    checkChannels("nn.ConvTranspose2d", inChannels, outChannels, groups);
    const [kh, kw] = pair(kernelSize);
    this.#options = { stride, padding, outputPadding, dilation, groups };
    const seed = options.seed ?? nextSeed(device);
    const shape = [inChannels, outChannels / groups, kh, kw] as const;
    const made = convolutionParameters(device, shape, bias ? outChannels : undefined, seed);
    this.weight = made.weight;
    this.bias = made.bias;
    this.registerParameter("weight", made.weight);
    if (made.bias) this.registerParameter("bias", made.bias);
  }

  override forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, this.bias, this.#options);
  }
}
