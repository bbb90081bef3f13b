import type { GraphBuilder } from "../graph/builder.js";
import type { ConvInit, Window } from "../graph/spec.js";
import type { Backbone } from "./backbone.js";

/** A fully connected layer of the classifier, cast to a convolution. */
export interface CastLayer {
  readonly channels: number;
  readonly kernelSize: number;
  readonly padding: number;
}

export interface VggSpec {
  /** Channels of the 3x3 convolutions of each stage; every stage ends in a 2x2 max-pool in ceil mode. */
  readonly stages: readonly (readonly number[])[];
  /** The layers fc6, fc7, ... behind the last pool. */
  readonly cast: readonly CastLayer[];
  /** Padding of conv1_1; all other 3x3 convolutions have 1. */
  readonly padding: number;
  readonly batchNorm: boolean;
  /** Share of values dropped behind each cast layer; 0 leaves the layer out. */
  readonly dropout: number;
}

/** The layers of VGG16, configuration D of Simonyan and Zisserman, as convolutionalised in section 4.1 of the FCN paper. */
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

/** Appends a VGG trunk behind `input`: conv1_1, relu1_1, ..., pool5, fc6, relu6, drop6, ... as the layers are called in Caffe. */
export function vggBackbone(builder: GraphBuilder, input: string, spec: VggSpec): Backbone {
  const convolve = (name: string, activation: string, channels: number, window: Window, from: string): string => {
    const layer = {
      kind: "conv",
      outChannels: channels,
      ...window,
      bias: !spec.batchNorm,
      init: "kaiming" satisfies ConvInit,
    } as const;
    const conv = builder.add(name, layer, from);
    const normed = spec.batchNorm ? builder.add(`${name}_bn`, { kind: "batchNorm" }, conv) : conv;
    return builder.add(activation, { kind: "relu" }, normed);
  };
  let last = input;
  const stages: Record<string, string> = {};
  spec.stages.forEach((widths, s) => {
    widths.forEach((channels, i) => {
      const id = `${s + 1}_${i + 1}`;
      const padding = id === "1_1" ? spec.padding : 1;
      last = convolve(`conv${id}`, `relu${id}`, channels, { kernelSize: 3, padding }, last);
    });
    last = builder.add(`pool${s + 1}`, { kind: "maxPool", kernelSize: 2, stride: 2, ceilMode: true }, last);
    stages[`pool${s + 1}`] = last;
  });
  spec.cast.forEach(({ channels, ...window }, i) => {
    const id = i + spec.stages.length + 1;
    last = convolve(`fc${id}`, `relu${id}`, channels, window, last);
    if (spec.dropout > 0) last = builder.add(`drop${id}`, { kind: "dropout", p: spec.dropout }, last);
  });
  return { stages, top: last };
}

/** max(1, round(c * multiplier)) for every width of a VGG. */
export function scaleWidths(
  spec: Pick<VggSpec, "stages" | "cast">,
  multiplier: number,
): Pick<VggSpec, "stages" | "cast"> {
  const scaled = (channels: number): number => Math.max(1, Math.round(channels * multiplier));
  return {
    stages: spec.stages.map((widths) => widths.map(scaled)),
    cast: spec.cast.map((layer) => ({ ...layer, channels: scaled(layer.channels) })),
  };
}
