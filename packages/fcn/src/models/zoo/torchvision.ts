import type { Backbone } from "../backbones/backbone.js";
import { scaleWidth } from "../backbones/convNorm.js";
import { mobileNetV3Backbone } from "../backbones/mobilenetV3.js";
import { RESNETS, resNetBackbone, torchvisionNames } from "../backbones/resnet.js";
import { GraphBuilder } from "../graph/builder.js";
import { inferChannels } from "../graph/geometry/channels.js";
import type { Graph } from "../graph/spec.js";
import { fcnHead } from "../heads/fcnHead.js";
import type { Resolved } from "../modelOptions.js";
import type { Family, ModelEntry } from "./entry.js";

const PREFIX = "backbone.";

/** A dilated backbone under torchvision's names, and the stage that its auxiliary head scores. */
interface Dilated {
  readonly title: string;
  /** The classifier, as the registry of weights names its model. */
  readonly classifier: string;
  readonly aux: string;
  readonly append: (builder: GraphBuilder, input: string, options: Resolved) => Backbone;
}

/** Stages 3 and 4 dilate so that the features keep stride 8. */
const resNet = (name: "resnet50" | "resnet101"): Dilated => ({
  title: `a dilated ResNet-${name.slice(6)}`,
  classifier: name,
  aux: "layer3",
  append: (builder, input, { widthMultiplier }) =>
    resNetBackbone(builder, input, {
      ...RESNETS[name],
      width: scaleWidth(64, widthMultiplier),
      names: torchvisionNames(PREFIX),
      replaceStrideWithDilation: [false, true, true],
    }),
});

export const DILATED = {
  resnet50: resNet("resnet50"),
  resnet101: resNet("resnet101"),
  mobilenet_v3_large: {
    title: "a dilated MobileNetV3-Large",
    classifier: "mobilenetv3large",
    // The first block of stride 8.
    aux: "features_4",
    append: (builder, input, { widthMultiplier }) =>
      mobileNetV3Backbone(builder, input, { prefix: PREFIX, widthMultiplier, dilated: true }),
  },
} as const satisfies Record<string, Dilated>;

/** Appends a head called `name` after `features` and returns the name of its scores. */
type Head = (builder: GraphBuilder, name: string, features: string, options: Resolved) => string;

/** Appends bilinear upsampling of `scores` to the size of the image, as the node of a head. */
export const toImage = (builder: GraphBuilder, head: string, scores: string, image: string): string =>
  builder.add(head, { kind: "resize", mode: "bilinear", alignCorners: false }, scores, image);

const fcn: Head = (builder, name, features, { numClasses }) => {
  const channels = inferChannels(builder.build()).get(features) as number;
  return fcnHead(builder, name, channels, numClasses, features);
};

function graphOf(name: string, { append, aux }: Dilated, head: Head, options: Resolved): Graph {
  const builder = new GraphBuilder(name);
  const data = builder.add("data", { kind: "input", channels: options.inChannels });
  const { stages, top } = append(builder, data, options);
  const out = toImage(builder, "out", head(builder, "classifier", top, options), data);
  if (!options.auxLoss) return builder.build({ out });
  const score = fcn(builder, "aux_classifier", stages[aux] as string, options);
  return builder.build({ out, aux: toImage(builder, "aux", score, data) });
}

/**
 * A segmentation net of torchvision: `head` on the deepest features of a dilated backbone gives `out`, an FCN's head on
 * an earlier stage `aux`. With `auxLoss` false there is one head, and `forward` returns a tensor.
 */
export const torchvisionNet = (title: string, backbone: Dilated, head: Head): ModelEntry => ({
  summary: `torchvision's ${title} on ${backbone.title}, heads out and aux`,
  defaults: { widthMultiplier: 1, auxLoss: true },
  keys: "torchvision",
  backbone: backbone.classifier,
  graph: (options, name) => graphOf(name, backbone, head, options),
});

/** torchvision.models.segmentation.fcn_resnet50 and 101. */
export const TORCHVISION_NETS: Family = {
  fcn_resnet50: torchvisionNet("FCN", DILATED.resnet50, fcn),
  fcn_resnet101: torchvisionNet("FCN", DILATED.resnet101, fcn),
};
