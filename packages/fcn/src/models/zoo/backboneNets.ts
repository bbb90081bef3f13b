import { rules } from "@fcn/tensor/internal";
import { VOC_MEAN } from "../../data/published/means.js";
import { alexNetBackbone } from "../backbones/alexnet.js";
import type { Backbone } from "../backbones/backbone.js";
import { scaleWidth } from "../backbones/convNorm.js";
import { bvlcGoogLeNetBackbone, googLeNetBackbone } from "../backbones/googlenet.js";
import { INCEPTION_STAGES, inceptionBackbone } from "../backbones/inception.js";
import { mobileNetBackbone } from "../backbones/mobilenet.js";
import { mobileNetV3Backbone } from "../backbones/mobilenetV3.js";
import { RESNETS, resNetBackbone, torchvisionNames } from "../backbones/resnet.js";
import { torchvisionVggNames, VGG16, vggBackbone } from "../backbones/vgg.js";
import type { GraphBuilder } from "../graph/builder.js";
import { buildFcn } from "../heads/fcn.js";
import type { Resolved } from "../modelOptions.js";
import type { Family, ModelEntry } from "./entry.js";

const PREFIX = "backbone.";

/** A backbone with torchvision's names: the strides at which it can be scored, its own options and how to append it. */
interface Row extends Pick<ModelEntry, "defaults" | "rules" | "preprocessing"> {
  /** If they are not torchvision's. */
  readonly keys?: ModelEntry["keys"];
  /** If the registry of weights calls the classifier otherwise than `BACKBONES` does. */
  readonly classifier?: string;
  readonly title: string;
  readonly strides: readonly number[];
  readonly append: (builder: GraphBuilder, input: string, options: Resolved) => Backbone;
}

const resnetRow = (name: keyof typeof RESNETS): Row => ({
  title: `ResNet-${name.slice(6)}`,
  strides: [32, 16, 8, 4],
  defaults: { padding: 3 },
  append: (builder, input, { padding, widthMultiplier }) => {
    const width = scaleWidth(64, widthMultiplier);
    return resNetBackbone(builder, input, { ...RESNETS[name], width, names: torchvisionNames(PREFIX), padding });
  },
});

const googLeNetRow = (title: string, prefix: string, backbone: typeof googLeNetBackbone, padding: number): Row => ({
  title,
  strides: [32, 16, 8, 4],
  defaults: { padding },
  append: (builder, input, options) => backbone(builder, input, { ...options, prefix }),
});

const BACKBONES: Readonly<Record<string, Row>> = {
  resnet18: resnetRow("resnet18"),
  resnet34: resnetRow("resnet34"),
  resnet50: resnetRow("resnet50"),
  resnet101: resnetRow("resnet101"),
  mobilenetv2: {
    title: "MobileNetV2",
    strides: [32, 16, 8, 4],
    defaults: { samePadding: false, bnEps: 1e-5 },
    append: (builder, input, options) =>
      mobileNetBackbone(builder, input, { ...options, prefix: PREFIX, eps: options.bnEps }),
  },
  mobilenetv3large: {
    title: "MobileNetV3-Large",
    strides: [32, 16, 8, 4],
    defaults: {},
    append: (builder, input, { widthMultiplier }) =>
      mobileNetV3Backbone(builder, input, { prefix: `${PREFIX}features.`, widthMultiplier, dilated: false }),
  },
  inceptionv3: {
    title: "InceptionV3",
    strides: [32, 16, 8, 4],
    defaults: { padding: 37, samePadding: false, lastStage: "Mixed_7c" },
    rules: { lastStage: rules.oneOf(...INCEPTION_STAGES) },
    append: (builder, input, options) =>
      inceptionBackbone(builder, input, { ...options, prefix: PREFIX, countIncludePad: !options.samePadding }),
  },
  googlenet: googLeNetRow("GoogLeNet", PREFIX, googLeNetBackbone, 10),
  "googlenet-bvlc": {
    ...googLeNetRow("BVLC's GoogLeNet", "", bvlcGoogLeNetBackbone, 18),
    keys: "Caffe",
    preprocessing: VOC_MEAN,
  },
  "alexnet-torchvision": {
    title: "torchvision's AlexNet",
    strides: [32, 16, 8],
    defaults: { padding: 100, dropout: 0.5 },
    append: (builder, input, options) =>
      alexNetBackbone(builder, input, { ...options, prefix: PREFIX, ceilMode: true }),
  },
  "vgg16-torchvision": {
    title: "VGG16 with torchvision's names",
    classifier: "vgg16",
    strides: [32, 16, 8, 4],
    defaults: { padding: 100, dropout: 0.5 },
    append: (builder, input, options) => {
      const names = torchvisionVggNames(PREFIX, VGG16.stages);
      return vggBackbone(builder, input, { ...VGG16, ...options, batchNorm: false, names });
    },
  },
};

function entry(backbone: string, row: Row, outputStride: number): ModelEntry {
  const { title, strides: _, defaults, append, keys = "torchvision", classifier = backbone, ...rest } = row;
  return {
    ...rest,
    keys,
    backbone: classifier,
    summary: `FCN-${outputStride}s on ${title}`,
    defaults: { widthMultiplier: 1, deconv: "fixed", dense: false, ...defaults },
    graph: (options, name) => {
      const head = { ...options, padding: "none", name, outputStride } as const;
      return buildFcn((builder, input) => append(builder, input, options), head);
    },
  };
}

/** Every backbone at every stride that it has features of: fcn32s-resnet18, fcn16s-resnet18, ... */
export const BACKBONE_NETS: Family = Object.fromEntries(
  Object.entries(BACKBONES).flatMap(([name, row]) =>
    row.strides.map((stride) => [`fcn${stride}s-${name}`, entry(name, row, stride)] as const),
  ),
);
