import { VOC_MEAN } from "../../data/published/means.js";
import type { BackboneBuilder } from "../backbones/backbone.js";
import { CAFFE_NAMES, VGG16, type VggNames, type VggSpec, vggBackbone } from "../backbones/vgg.js";
import { buildFcn } from "../heads/fcn.js";
import type { Skip } from "../heads/skip.js";
import type { Resolved } from "../modelOptions.js";
import type { Family, ModelEntry } from "./entry.js";

type VggLayers = Pick<VggSpec, "stages" | "cast">;

/** A skip of a VGG with the stride of its features. */
export interface VggSkip extends Skip {
  readonly stride: number;
}

const POOL4: VggSkip = { stage: "pool4", stride: 16 };
const POOL3: VggSkip = { stage: "pool3", stride: 8 };

/** The skips of the published nets, by the stride in the net's name. */
export const VGG_SKIPS = { 32: [], 16: [POOL4], 8: [POOL4, POOL3] } as const satisfies Record<number, VggSkip[]>;

/** Defaults of every net on VGG16: the published padding of 100, and fixed, channel-wise upsampling without padding. */
export const VGG16_DEFAULTS = {
  widthMultiplier: 1,
  padding: 100,
  batchNorm: false,
  dropout: 0.5,
  deconv: "fixed",
  dense: false,
  fusion: "sum",
  backboneStride: 32,
  dilate: true,
} as const satisfies Partial<Resolved>;

export const vggOf =
  (layers: VggLayers, options: Resolved, names = CAFFE_NAMES): BackboneBuilder =>
  (builder, input) =>
    vggBackbone(builder, input, { ...layers, ...options, names });

/** The skips that are finer than the backbone's deepest features. */
export const finerThan = (backboneStride: number, skips: readonly VggSkip[]): readonly VggSkip[] =>
  skips.filter(({ stride }) => stride < backboneStride);

export interface VggFcn {
  readonly layers: VggLayers;
  readonly skips: readonly VggSkip[];
  readonly upsampling: "none" | "aligned";
  readonly names?: VggNames;
}

export const vggFcn =
  ({ layers, skips, upsampling, names }: VggFcn): ModelEntry["graph"] =>
  (options, name) => {
    const finer = finerThan(options.backboneStride, skips);
    const outputStride = finer.at(-1)?.stride ?? options.backboneStride;
    const head = { ...options, padding: upsampling, name, outputStride, skips: finer };
    return buildFcn(vggOf(layers, options, names), head);
  };

/** FCN on VGG16 as published. */
const vgg16Entry = (summary: string, skips: readonly VggSkip[]): ModelEntry => ({
  summary,
  defaults: VGG16_DEFAULTS,
  keys: "Caffe",
  backbone: "vgg16",
  preprocessing: VOC_MEAN,
  graph: vggFcn({ layers: VGG16, skips, upsampling: "none" }),
});

/** Five stages of 16 to 128 channels: a VGG that trains from scratch in minutes. */
const SMALL: VggLayers = {
  stages: [[16], [32], [64], [128], [128]],
  cast: [{ channels: 128, kernelSize: 3, padding: 1 }],
};

/** A small net: batch norm, padding 1, and upsampling padded so that the crop offset is 0. */
const smallEntry = (summary: string, skips: readonly VggSkip[]): ModelEntry => ({
  summary,
  defaults: { ...VGG16_DEFAULTS, padding: 1, batchNorm: true, dropout: 0 },
  keys: "own",
  graph: vggFcn({ layers: SMALL, skips, upsampling: "aligned" }),
});

/** The nets of the FCN paper on VGG16, and small ones of the same form. */
export const VGG_NETS: Family = {
  "fcn32s-vgg16": vgg16Entry("FCN-32s on VGG16", VGG_SKIPS[32]),
  "fcn16s-vgg16": vgg16Entry("FCN-16s on VGG16, skip from pool4", VGG_SKIPS[16]),
  "fcn8s-vgg16": vgg16Entry("FCN-8s on VGG16, skips from pool4 and pool3", VGG_SKIPS[8]),
  "fcn8s-atonce-vgg16": vgg16Entry("FCN-8s on VGG16 with scaled skips, trained in one stage", [
    { ...POOL4, scale: 0.01 },
    { ...POOL3, scale: 0.0001 },
  ]),
  "fcn32s-small": smallEntry("FCN-32s on a small VGG with batch norm", VGG_SKIPS[32]),
  "fcn16s-small": smallEntry("FCN-16s on a small VGG with batch norm", VGG_SKIPS[16]),
  "fcn8s-small": smallEntry("FCN-8s on a small VGG with batch norm", VGG_SKIPS[8]),
};
