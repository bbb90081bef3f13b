import type { Backbone } from "../backbones/backbone.js";
import { scaleWidth } from "../backbones/convNorm.js";
import { RESNETS, resNetBackbone, torchvisionNames } from "../backbones/resnet.js";
import { GraphBuilder } from "../graph/builder.js";
import type { Graph } from "../graph/spec.js";
import { featurePyramid, mapHierarchy, pyramidAliases, pyramidScores, semanticBranch } from "../heads/fpn.js";
import { unetDecoder } from "../heads/unet.js";
import type { Resolved } from "../modelOptions.js";
import type { Family, ModelEntry } from "./entry.js";

const LEVELS = ["layer1", "layer2", "layer3", "layer4"] as const;
const NAMES = torchvisionNames("backbone.");

interface Encoder {
  readonly builder: GraphBuilder;
  readonly data: string;
  readonly stages: Backbone["stages"];
}

interface Head {
  readonly title: string;
  readonly append: (encoder: Encoder, options: Resolved) => string;
  readonly aliases?: Graph["aliases"];
}

const levelsOf = ({ stages }: Encoder): string[] => LEVELS.map((level) => stages[level] as string);

function pyramid(encoder: Encoder, options: Resolved): string[] {
  return featurePyramid(encoder.builder, levelsOf(encoder), 4 * scaleWidth(64, options.widthMultiplier));
}

/** Heads on the four stages of a ResNet. */
const HEADS: Readonly<Record<string, Head>> = {
  fpn: {
    title: "FPN, levels summed,",
    append: (encoder, options) =>
      pyramidScores(encoder.builder, encoder.data, pyramid(encoder, options), options.numClasses),
    aliases: pyramidAliases(LEVELS.length),
  },
  "semantic-fpn": {
    title: "Semantic FPN (the branch of Panoptic FPN)",
    append: (encoder, options) => {
      const channels = 4 * scaleWidth(32, options.widthMultiplier);
      const { numClasses } = options;
      return semanticBranch(encoder.builder, encoder.data, pyramid(encoder, options), { channels, numClasses });
    },
    aliases: pyramidAliases(LEVELS.length),
  },
  hierarchy: {
    title: "A prediction on each stage",
    append: (encoder, options) => {
      const channels = 4 * scaleWidth(32, options.widthMultiplier);
      const { numClasses } = options;
      return mapHierarchy(encoder.builder, encoder.data, levelsOf(encoder), { channels, numClasses });
    },
  },
  unet: {
    title: "U-Net",
    append: (encoder, options) => {
      const features = [...levelsOf(encoder).reverse(), NAMES.relu];
      const channels = [256, 128, 64, 32, 16].map((width) => scaleWidth(width, options.widthMultiplier));
      return unetDecoder(encoder.builder, encoder.data, features, { channels, numClasses: options.numClasses });
    },
  },
};

function graph(name: string, backbone: keyof typeof RESNETS, head: Head, options: Resolved): Graph {
  const builder = new GraphBuilder(name);
  const data = builder.add("data", { kind: "input", channels: options.inChannels });
  const width = scaleWidth(64, options.widthMultiplier);
  const { stages } = resNetBackbone(builder, data, { ...RESNETS[backbone], width, names: NAMES });
  const out = head.append({ builder, data, stages }, options);
  return { ...builder.build({ out }), ...(head.aliases ? { aliases: head.aliases } : {}) };
}

/** FPN, Semantic FPN, separate predictions and U-Net on each ResNet: fpn-resnet18, unet-resnet18, ... */
export const PYRAMID_NETS: Family = Object.fromEntries(
  Object.entries(HEADS).flatMap(([prefix, head]) =>
    (Object.keys(RESNETS) as (keyof typeof RESNETS)[]).map((backbone) => {
      const entry: ModelEntry = {
        summary: `${head.title} on ResNet-${backbone.slice(6)}`,
        defaults: { widthMultiplier: 1 },
        keys: "torchvision",
        backbone,
        graph: (options, name) => graph(name, backbone, head, options),
      };
      return [`${prefix}-${backbone}`, entry];
    }),
  ),
);
