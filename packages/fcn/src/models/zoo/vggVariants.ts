import { VOC_MEAN } from "../../data/layouts/means.js";
import { CAFFE_NAMES, suffixedNames, VGG16, type VggNames } from "../backbones/vgg.js";
import { GraphBuilder } from "../graph/builder.js";
import type { Graph } from "../graph/spec.js";
import { type SkipHeadOptions, scoreLayer, skipHead, upscore } from "../heads/skip.js";
import type { Resolved, Rule } from "../options.js";
import type { Family, ModelEntry } from "./entry.js";
import { finerThan, VGG_SKIPS, VGG16_DEFAULTS, vggFcn, vggTrunk } from "./vgg.js";

type Stride = keyof typeof VGG_SKIPS;

const STRIDES: readonly Stride[] = [32, 16, 8];

/** The first convolution sees depth too, and is called otherwise than that of a net whose weights it could not take. */
const RGBD_NAMES: VggNames = {
  ...CAFFE_NAMES,
  conv: (stage, i) => (stage === 1 && i === 1 ? "conv1_1_bgrd" : CAFFE_NAMES.conv(stage, i)),
};

const rgbdEntry = (name: string, stride: Stride): ModelEntry => ({
  summary: `FCN-${stride}s on VGG16 for colour and depth in one trunk: channels B, G, R, log depth`,
  defaults: { ...VGG16_DEFAULTS, inChannels: 4 },
  graph: (options) =>
    vggFcn(name, { layers: VGG16, skips: VGG_SKIPS[stride], upsampling: "none", names: RGBD_NAMES }, options),
});

const headOptions = (stride: Stride, options: Resolved): SkipHeadOptions => {
  const { numClasses, deconv, dense, fusion, trunkStride } = options;
  return { numClasses, deconv, dense, fusion, skips: finerThan(trunkStride, VGG_SKIPS[stride]), padding: "none" };
};

/** One trunk for each half of the channels, the mean of their scores, one upsampling. */
function lateFusion(name: string, options: Resolved): Graph {
  const builder = new GraphBuilder(name);
  const data = builder.add("data", { kind: "input", channels: options.inChannels });
  const each = options.inChannels / 2;
  const halves = ["color", "hha"].map((modality, i) => {
    const part = builder.add(modality, { kind: "slice", start: i * each, end: (i + 1) * each }, data);
    const { top } = vggTrunk(VGG16, options, suffixedNames(modality))(builder, part);
    const score = builder.add(`score_fr${modality}`, scoreLayer(options.numClasses), top);
    return builder.add(`half_${modality}`, { kind: "scale", factor: 0.5 }, score);
  });
  const fused = builder.add("score_fused", { kind: "add" }, ...halves);
  return builder.build({ out: upscore(builder, data, fused, headOptions(32, options)) });
}

const TWO_HALVES: Rule = {
  holds: (value) => Number.isSafeInteger(value) && (value as number) >= 2 && (value as number) % 2 === 0,
  text: "an even integer of at least 2",
};

/** Two heads on one trunk, each with labels of its own. */
function twoTasks(name: string, stride: Stride, options: Resolved): Graph {
  const builder = new GraphBuilder(name);
  const data = builder.add("data", { kind: "input", channels: options.inChannels });
  const trunk = vggTrunk(VGG16, options)(builder, data);
  const head = (suffix: string, numClasses: number): string =>
    skipHead(builder, data, trunk, { ...headOptions(stride, options), suffix, numClasses });
  const outputs = { sem: head("_sem", options.numClasses), geo: head("_geo", options.geometricClasses) };
  return { ...builder.build(outputs), headLabels: { geo: "geometric" } };
}

const siftFlowEntry = (name: string, stride: Stride): ModelEntry => ({
  summary: `FCN-${stride}s on VGG16 with two heads: sem (numClasses) and geo (geometricClasses)`,
  defaults: { ...VGG16_DEFAULTS, geometricClasses: 3 },
  preprocessing: VOC_MEAN,
  graph: (options) => twoTasks(name, stride, options),
});

const atEachStride = (suffix: string, entry: (name: string, stride: Stride) => ModelEntry): Family =>
  Object.fromEntries(
    STRIDES.map((stride) => [`fcn${stride}s-vgg16-${suffix}`, entry(`fcn${stride}s-vgg16-${suffix}`, stride)]),
  );

/**
 * The multi-modal nets for NYUDv2 and the multi-task nets for SIFT Flow of section 5 of the paper, with the layer names of the
 * reference implementation.
 */
export const VGG_VARIANTS: Family = {
  ...atEachStride("rgbd", rgbdEntry),
  "fcn32s-vgg16-hha": {
    summary:
      "FCN-32s on two VGG16 trunks, colour and HHA, whose scores are averaged: channels B, G, R and the three of HHA",
    defaults: { ...VGG16_DEFAULTS, inChannels: 6 },
    rules: { inChannels: TWO_HALVES },
    graph: (options) => lateFusion("fcn32s-vgg16-hha", options),
  },
  ...atEachStride("siftflow", siftFlowEntry),
};
