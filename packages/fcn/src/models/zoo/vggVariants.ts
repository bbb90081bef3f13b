import { rules } from "@fcn/tensor/internal";
import { VOC_MEAN } from "../../data/published/means.js";
import { CAFFE_NAMES, suffixedNames, VGG16, type VggNames } from "../backbones/vgg.js";
import { GraphBuilder } from "../graph/builder.js";
import type { Graph } from "../graph/spec.js";
import { lateFusionHead, type SkipHeadOptions, skipHead } from "../heads/skip.js";
import type { Resolved } from "../modelOptions.js";
import type { Family, ModelEntry } from "./entry.js";
import { finerThan, VGG_SKIPS, VGG16_DEFAULTS, vggFcn, vggOf } from "./vgg.js";

type Stride = keyof typeof VGG_SKIPS;

const STRIDES: readonly Stride[] = [32, 16, 8];

/** The first convolution also sees depth. It has its own name because weights for three channels do not fit it. */
const RGBD_NAMES: VggNames = {
  ...CAFFE_NAMES,
  conv: (stage, i) => (stage === 1 && i === 1 ? "conv1_1_bgrd" : CAFFE_NAMES.conv(stage, i)),
};

const rgbdEntry = (stride: Stride): ModelEntry => ({
  summary: `FCN-${stride}s on VGG16 for colour and depth in one backbone: channels B, G, R, log depth`,
  defaults: { ...VGG16_DEFAULTS, inChannels: 4 },
  keys: "Caffe",
  graph: vggFcn({ layers: VGG16, skips: VGG_SKIPS[stride], upsampling: "none", names: RGBD_NAMES }),
});

const headOptions = (stride: Stride, options: Resolved): SkipHeadOptions => ({
  ...options,
  skips: finerThan(options.backboneStride, VGG_SKIPS[stride]),
  padding: "none",
});

/**
 * One VGG16 for each half of the channels, colour and HHA. The mean of their class scores is taken at fc7 and again at
 * each skip (pool4 for 16s, pool3 too for 8s), before all upsampling. Because upsampling is bilinear, the net is the
 * mean of two nets of its stride. The Berkeley repository publishes only the 32s net (`score_fused` of `score_frcolor`
 * and `score_frhha`). The paper's table also has FCN-16s RGB-HHA, whose layers follow the same rule here.
 */
function lateFusion(name: string, stride: Stride, options: Resolved): Graph {
  const builder = new GraphBuilder(name);
  const data = builder.add("data", { kind: "input", channels: options.inChannels });
  const each = options.inChannels / 2;
  const backbones = ["color", "hha"].map((modality, i) => {
    const half = builder.add(modality, { kind: "slice", start: i * each, end: (i + 1) * each }, data);
    return [modality, vggOf(VGG16, options, suffixedNames(modality))(builder, half)] as const;
  });
  const score = lateFusionHead(builder, data, Object.fromEntries(backbones), headOptions(stride, options));
  return builder.build({ out: score });
}

const TWO_HALVES = rules.number(
  "an even number of at least 2",
  (value) => Number.isSafeInteger(value) && value >= 2 && value % 2 === 0,
);

const hhaEntry = (stride: Stride): ModelEntry => ({
  summary: `FCN-${stride}s on two VGG16 backbones, colour and HHA, whose scores are averaged: channels B, G, R and the three of HHA`,
  defaults: { ...VGG16_DEFAULTS, inChannels: 6 },
  keys: "Caffe",
  rules: { inChannels: TWO_HALVES },
  graph: (options, name) => lateFusion(name, stride, options),
});

/** Two heads on one backbone, each with its own labels. */
function twoTasks(name: string, stride: Stride, options: Resolved): Graph {
  const builder = new GraphBuilder(name);
  const data = builder.add("data", { kind: "input", channels: options.inChannels });
  const backbone = vggOf(VGG16, options)(builder, data);
  const head = (suffix: string, numClasses: number): string =>
    skipHead(builder, data, backbone, { ...headOptions(stride, options), suffix, numClasses });
  const outputs = { sem: head("_sem", options.numClasses), geo: head("_geo", options.geometricClasses) };
  return { ...builder.build(outputs), headLabels: { geo: "geometric" } };
}

const siftFlowEntry = (stride: Stride): ModelEntry => ({
  summary: `FCN-${stride}s on VGG16 with two heads: sem (numClasses) and geo (geometricClasses)`,
  defaults: { ...VGG16_DEFAULTS, geometricClasses: 3 },
  keys: "Caffe",
  backbone: "vgg16",
  preprocessing: VOC_MEAN,
  graph: (options, name) => twoTasks(name, stride, options),
});

const atEachStride = (suffix: string, entry: (stride: Stride) => ModelEntry): Family =>
  Object.fromEntries(STRIDES.map((stride) => [`fcn${stride}s-vgg16-${suffix}`, entry(stride)]));

/**
 * The multi-modal nets for NYUDv2 and the multi-task nets for SIFT Flow from section 5 of the paper, with the layer
 * names of the reference implementation.
 */
export const VGG_VARIANTS: Family = {
  ...atEachStride("rgbd", rgbdEntry),
  ...atEachStride("hha", hhaEntry),
  ...atEachStride("siftflow", siftFlowEntry),
};
