import { rules } from "@fcn/tensor/internal";
import { VOC_MEAN } from "../../data/published/means.js";
import { alexNetBackbone } from "../backbones/alexnet.js";
import type { Backbone, BackboneBuilder } from "../backbones/backbone.js";
import { scaleWidth } from "../backbones/convNorm.js";
import { bvlcGoogLeNetBackbone, googLeNetBackbone } from "../backbones/googlenet.js";
import { INCEPTION_STAGES, inceptionBackbone } from "../backbones/inception.js";
import { mobileNetBackbone } from "../backbones/mobilenet.js";
import { RESNETS, resNetBackbone, torchvisionNames } from "../backbones/resnet.js";
import { scaleWidths, torchvisionVggNames, VGG16, vggBackbone } from "../backbones/vgg.js";
import { buildFcn } from "../heads/fcn.js";
import type { Resolved } from "../modelOptions.js";
import type { Family, ModelEntry } from "./entry.js";

const PREFIX = "backbone.";

/** A backbone with torchvision's names: the strides at which it can be scored, its own options and how to build it. */
interface Row {
  readonly title: string;
  readonly strides: readonly number[];
  readonly defaults: Partial<Resolved>;
  readonly rules?: ModelEntry["rules"];
  readonly preprocessing?: ModelEntry["preprocessing"];
  readonly backbone: (options: Resolved) => BackboneBuilder;
}

const resnetRow = (name: keyof typeof RESNETS): Row => ({
  title: `ResNet-${name.slice(6)}`,
  strides: [32, 16, 8, 4],
  defaults: { padding: 3 },
  backbone:
    ({ padding, widthMultiplier }) =>
    (builder, input) =>
      resNetBackbone(builder, input, {
        ...RESNETS[name],
        width: scaleWidth(64, widthMultiplier),
        names: torchvisionNames(PREFIX),
        padding,
      }),
});

const googLeNetRow = (title: string, prefix: string, append: typeof googLeNetBackbone, padding: number): Row => ({
  title,
  strides: [32, 16, 8, 4],
  defaults: { padding },
  backbone: (options) => (builder, input) => append(builder, input, { ...options, prefix }),
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
    backbone: (options) => (builder, input) =>
      mobileNetBackbone(builder, input, { ...options, prefix: PREFIX, eps: options.bnEps }),
  },
  inceptionv3: {
    title: "InceptionV3",
    strides: [32, 16, 8, 4],
    defaults: { padding: 37, samePadding: false, lastStage: "Mixed_7c" },
    rules: { lastStage: rules.oneOf(...INCEPTION_STAGES) },
    backbone: (options) => (builder, input) =>
      inceptionBackbone(builder, input, { ...options, prefix: PREFIX, countIncludePad: !options.samePadding }),
  },
  googlenet: googLeNetRow("GoogLeNet", PREFIX, googLeNetBackbone, 10),
  "googlenet-bvlc": {
    ...googLeNetRow("BVLC's GoogLeNet", "", bvlcGoogLeNetBackbone, 18),
    preprocessing: VOC_MEAN,
  },
  "alexnet-torchvision": {
    title: "torchvision's AlexNet",
    strides: [32, 16, 8],
    defaults: { padding: 100, dropout: 0.5 },
    backbone: (options) => (builder, input) =>
      alexNetBackbone(builder, input, { ...options, prefix: PREFIX, ceilMode: true }),
  },
  "vgg16-torchvision": {
    title: "VGG16 with torchvision's names",
    strides: [32, 16, 8, 4],
    defaults: { padding: 100, dropout: 0.5 },
    backbone:
      (options) =>
      (builder, input): Backbone => {
        const layers = scaleWidths(VGG16, options.widthMultiplier);
        const names = torchvisionVggNames(PREFIX, layers.stages);
        return vggBackbone(builder, input, { ...layers, ...options, batchNorm: false, names });
      },
  },
};

function entry(model: string, row: Row, outputStride: number): ModelEntry {
  return {
    summary: `FCN-${outputStride}s on ${row.title}`,
    defaults: { widthMultiplier: 1, deconv: "fixed", dense: false, ...row.defaults },
    ...(row.rules ? { rules: row.rules } : {}),
    ...(row.preprocessing ? { preprocessing: row.preprocessing } : {}),
    graph: (options) => {
      const { numClasses, inChannels, deconv, dense } = options;
      return buildFcn(row.backbone(options), { name: model, numClasses, inChannels, outputStride, deconv, dense });
    },
  };
}

/** Every backbone at every stride that it has features of: fcn32s-resnet18, fcn16s-resnet18, ... */
export const BACKBONE_NETS: Family = Object.fromEntries(
  Object.entries(BACKBONES).flatMap(([name, row]) =>
    row.strides.map((stride) => {
      const model = `fcn${stride}s-${name}`;
      return [model, entry(model, row, stride)] as const;
    }),
  ),
);
