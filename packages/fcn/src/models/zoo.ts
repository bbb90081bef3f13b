import { basicResNetBackbone, SEQUENTIAL_NAMES } from "./backbones/resnet.js";
import { scaleWidths, VGG16, type VggSpec, vggBackbone } from "./backbones/vgg.js";
import { GraphBuilder } from "./graph/builder.js";
import type { Graph } from "./graph/spec.js";
import { type Skip, skipHead } from "./heads/skip.js";
import type { Resolved } from "./options.js";

/** A model by name: the options it takes with their defaults, and its layers. */
export interface ModelEntry {
  readonly summary: string;
  readonly defaults: Partial<Resolved>;
  readonly graph: (options: Resolved) => Graph;
}

const POOL4: Skip = { stage: "pool4" };
const POOL3: Skip = { stage: "pool3" };

/** FCN on VGG16 as published: padding 100, upsampling without padding. */
function vgg16Entry(name: string, summary: string, skips: readonly Skip[]): ModelEntry {
  return {
    summary,
    defaults: { widthMultiplier: 1, padding: 100, batchNorm: false, dropout: 0.5, deconv: "fixed", dense: false },
    graph: (options) => vggFcn(name, VGG16, skips, options, "none"),
  };
}

/** Five stages of 16 to 128 channels: a VGG that trains from nothing in minutes. */
const SMALL: Pick<VggSpec, "stages" | "cast"> = {
  stages: [[16], [32], [64], [128], [128]],
  cast: [{ channels: 128, kernelSize: 3, padding: 1 }],
};

/** The small net: batch norm, padding 1, upsampling padded so that the crop offset is 0. */
function smallEntry(name: string, summary: string, skips: readonly Skip[]): ModelEntry {
  return {
    summary,
    defaults: { widthMultiplier: 1, padding: 1, batchNorm: true, dropout: 0, deconv: "fixed", dense: false },
    graph: (options) => vggFcn(name, SMALL, skips, options, "aligned"),
  };
}

function vggFcn(
  name: string,
  layers: Pick<VggSpec, "stages" | "cast">,
  skips: readonly Skip[],
  options: Resolved,
  upsamplingPadding: "none" | "aligned",
): Graph {
  const builder = new GraphBuilder(name);
  const data = builder.add("data", { kind: "input", channels: options.inChannels });
  const backbone = vggBackbone(builder, data, { ...scaleWidths(layers, options.widthMultiplier), ...options });
  const score = skipHead(builder, data, backbone, { ...options, skips, padding: upsamplingPadding });
  return builder.build({ out: score });
}

/**
 * The net of the d2l chapter on FCN: ResNet-18, a 1x1 convolution and one learned transposed convolution 64/32 with padding 16 and bias. The
 * output is cut at the top left, since ResNet's features lie 15.5 pixels off its centres.
 */
function d2lResNet18(options: Resolved): Graph {
  const builder = new GraphBuilder("d2l-resnet18");
  const data = builder.add("data", { kind: "input", channels: options.inChannels });
  const width = Math.max(1, Math.round(64 * options.widthMultiplier));
  const { top } = basicResNetBackbone(builder, data, { blocks: [2, 2, 2, 2], width, names: SEQUENTIAL_NAMES });
  const outChannels = options.numClasses;
  const score = builder.add("final_conv", { kind: "conv", outChannels, kernelSize: 1, init: "xavier" }, top);
  const window = { kernelSize: 64, stride: 32, padding: 16 };
  const up = builder.add(
    "transpose_conv",
    { kind: "convTranspose", outChannels, ...window, bias: true, learned: true },
    score,
  );
  return builder.build({ out: builder.add("score", { kind: "crop", align: "topLeft" }, up, data) });
}

/** Every model that `create` knows. */
export const ZOO: Readonly<Record<string, ModelEntry>> = {
  "fcn32s-vgg16": vgg16Entry("fcn32s-vgg16", "FCN-32s on VGG16", []),
  "fcn16s-vgg16": vgg16Entry("fcn16s-vgg16", "FCN-16s on VGG16, skip from pool4", [POOL4]),
  "fcn8s-vgg16": vgg16Entry("fcn8s-vgg16", "FCN-8s on VGG16, skips from pool4 and pool3", [POOL4, POOL3]),
  "fcn8s-atonce-vgg16": vgg16Entry("fcn8s-atonce-vgg16", "FCN-8s on VGG16 with scaled skips, trained in one stage", [
    { ...POOL4, scale: 0.01 },
    { ...POOL3, scale: 0.0001 },
  ]),
  "fcn32s-small": smallEntry("fcn32s-small", "FCN-32s on a small VGG with batch norm", []),
  "fcn16s-small": smallEntry("fcn16s-small", "FCN-16s on a small VGG with batch norm", [POOL4]),
  "fcn8s-small": smallEntry("fcn8s-small", "FCN-8s on a small VGG with batch norm", [POOL4, POOL3]),
  "d2l-resnet18": {
    summary: "ResNet-18 with one learned transposed convolution",
    defaults: { widthMultiplier: 1 },
    graph: d2lResNet18,
  },
};
