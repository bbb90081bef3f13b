import type { GraphBuilder } from "../graph/builder.js";
import type { ConvInit } from "../graph/weights/initialise.js";
import type { Backbone } from "./backbone.js";
import { scaleWidth } from "./convNorm.js";
import { caffeNameAfter, type NameAfter, sequentialNameAfter } from "./names.js";

export interface SquareWindow {
  readonly kernelSize: number;
  readonly padding: number;
}

/** A fully connected classifier layer, cast to a convolution. */
export interface CastLayer extends SquareWindow {
  readonly channels: number;
}

/** The layers and options of {@link vggBackbone}. */
export interface VggSpec {
  /** Channels of the 3x3 convolutions of each stage; every stage ends in a 2x2 max-pool in ceil mode. */
  readonly stages: readonly (readonly number[])[];
  /** The layers fc6, fc7, ... after the last pool. */
  readonly cast: readonly CastLayer[];
  /** Padding of conv1_1; all other 3x3 convolutions have padding 1. */
  readonly padding: number;
  readonly batchNorm: boolean;
  /** Factor on the channels of every layer. Default 1. */
  readonly widthMultiplier?: number;
  /** Share of values dropped after each cast layer; 0 leaves the dropout layers out. */
  readonly dropout: number;
  /** Default: Caffe's names. */
  readonly names?: VggNames;
  /** Whether the pools keep a last window that overhangs the edge. Default true. */
  readonly ceilMode?: boolean;
  /**
   * Stride of the deepest features. Default 32; pools that would exceed it get stride 1 (section 3.2 of the FCN paper).
   */
  readonly backboneStride?: number;
  /** Whether all layers after a pool of stride 1 dilate, so that their weights see the same pixels. Default true. */
  readonly dilate?: boolean;
}

/**
 * Names of stage `stage` and its `i`th convolution, both counted from 1. A convolution's name is also its state-dict
 * key.
 */
export interface VggNames {
  readonly conv: (stage: number, i: number) => string;
  readonly pool: (stage: number) => string;
  /** The `i`th classifier layer, counted from 1. */
  readonly cast: (i: number) => string;
  readonly after: NameAfter;
}

/** Caffe's names: conv1_1, ..., pool5, fc6, fc7. */
export const CAFFE_NAMES: VggNames = {
  conv: (stage, i) => `conv${stage}_${i}`,
  pool: (stage) => `pool${stage}`,
  cast: (i) => `fc${i + 5}`,
  after: caffeNameAfter,
};

/** Caffe's names with a suffix, for a net with several backbones. */
export const suffixedNames = (suffix: string): VggNames => ({
  ...CAFFE_NAMES,
  conv: (stage, i) => `${CAFFE_NAMES.conv(stage, i)}${suffix}`,
  pool: (stage) => `${CAFFE_NAMES.pool(stage)}${suffix}`,
  cast: (i) => `${CAFFE_NAMES.cast(i)}${suffix}`,
});

/**
 * torchvision's `features.N` and `classifier.N` with a prefix. Each convolution is followed by a ReLU, each linear
 * layer by two modules.
 */
export function torchvisionVggNames(prefix: string, stages: VggSpec["stages"]): VggNames {
  const before = (stage: number) => stages.slice(0, stage - 1).reduce((sum, widths) => sum + 2 * widths.length + 1, 0);
  return {
    conv: (stage, i) => `${prefix}features.${before(stage) + 2 * (i - 1)}`,
    pool: (stage) => `${prefix}features.${before(stage + 1) - 1}`,
    cast: (i) => `${prefix}classifier.${3 * (i - 1)}`,
    after: sequentialNameAfter,
  };
}

/**
 * The layers of VGG16, configuration D of Simonyan and Zisserman, made convolutional as in section 4.1 of the FCN
 * paper.
 */
export const VGG16 = {
  stages: [
    [64, 64],
    [128, 128],
    [256, 256, 256],
    [512, 512, 512],
    [512, 512, 512],
  ],
  cast: [
    { channels: 4096, kernelSize: 7, padding: 0 },
    { channels: 4096, kernelSize: 1, padding: 0 },
  ],
} as const;

/** Appends a VGG backbone after `input`. Its stages are pool1 to pool5. */
export function vggBackbone(builder: GraphBuilder, input: string, spec: VggSpec): Backbone {
  const { names = CAFFE_NAMES, ceilMode = true, backboneStride = 32, dilate = true, widthMultiplier = 1 } = spec;
  let dilation = 1;
  const convolve = (name: string, channels: number, window: SquareWindow, from: string): string => {
    const layer = {
      kind: "conv",
      outChannels: scaleWidth(channels, widthMultiplier),
      kernelSize: window.kernelSize,
      padding: window.padding * dilation,
      dilation,
      bias: !spec.batchNorm,
      init: "kaiming" satisfies ConvInit,
    } as const;
    const conv = builder.add(name, layer, from);
    const normed = spec.batchNorm ? builder.add(`${name}_bn`, { kind: "batchNorm" }, conv) : conv;
    return builder.add(names.after(name, "relu"), { kind: "relu" }, normed);
  };
  let last = input;
  const stages: Record<string, string> = {};
  spec.stages.forEach((widths, s) => {
    widths.forEach((channels, i) => {
      const padding = s === 0 && i === 0 ? spec.padding : 1;
      last = convolve(names.conv(s + 1, i + 1), channels, { kernelSize: 3, padding }, last);
    });
    const stride = 2 ** (s + 1) > backboneStride ? 1 : 2;
    last = builder.add(names.pool(s + 1), { kind: "maxPool", kernelSize: 2, stride, dilation, ceilMode }, last);
    if (stride === 1 && dilate) dilation *= 2;
    stages[`pool${s + 1}`] = last;
  });
  spec.cast.forEach(({ channels, ...window }, i) => {
    const name = names.cast(i + 1);
    last = convolve(name, channels, window, last);
    if (spec.dropout > 0) last = builder.add(names.after(name, "drop"), { kind: "dropout", p: spec.dropout }, last);
  });
  return { stages, top: last };
}
