import { scaleWidths, VGG16, type VggSpec, vggBackbone } from "../backbones/vgg.js";
import type { Graph } from "../graph/spec.js";
import { buildFcn } from "../heads/fcn.js";
import type { Skip } from "../heads/skip.js";
import type { Resolved } from "../options.js";
import type { Family, ModelEntry } from "./entry.js";

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
  padding: "none" | "aligned",
): Graph {
  const spec = { ...scaleWidths(layers, options.widthMultiplier), ...options };
  const { numClasses, inChannels, deconv, dense } = options;
  const outputStride = 32 / 2 ** skips.length;
  return buildFcn((builder, input) => vggBackbone(builder, input, spec), {
    name,
    numClasses,
    inChannels,
    outputStride,
    skips,
    deconv,
    dense,
    padding,
  });
}

/** The nets of the FCN paper on VGG16, and small ones of the same form. */
export const VGG_NETS: Family = {
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
};
