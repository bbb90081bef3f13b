import { scaleWidth } from "../backbones/convNorm.js";
import { RESNETS, resNetBackbone, torchvisionNames } from "../backbones/resnet.js";
import { GraphBuilder } from "../graph/builder.js";
import { inferChannels } from "../graph/geometry/channels.js";
import type { Graph } from "../graph/spec.js";
import { fcnHead } from "../heads/fcnHead.js";
import type { Resolved } from "../modelOptions.js";
import type { Family, ModelEntry } from "./entry.js";

/** torchvision.models.segmentation.fcn_resnet50 and 101. Stages 3 and 4 dilate so that the features keep stride 8. */
function fcnResNet(name: string, backbone: "resnet50" | "resnet101", options: Resolved): Graph {
  const builder = new GraphBuilder(name);
  const data = builder.add("data", { kind: "input", channels: options.inChannels });
  const { stages, top } = resNetBackbone(builder, data, {
    ...RESNETS[backbone],
    width: scaleWidth(64, options.widthMultiplier),
    names: torchvisionNames("backbone."),
    replaceStrideWithDilation: [false, true, true],
  });
  const channels = inferChannels(builder.build());
  const head = (key: string, output: string, features: string): string => {
    const score = fcnHead(builder, key, channels.get(features) as number, options.numClasses, features);
    return builder.add(output, { kind: "resize", mode: "bilinear", alignCorners: false }, score, data);
  };
  const out = head("classifier", "out", top);
  return builder.build(
    options.auxLoss ? { out, aux: head("aux_classifier", "aux", stages.layer3 as string) } : { out },
  );
}

const entry = (backbone: "resnet50" | "resnet101"): ModelEntry => ({
  summary: `torchvision's FCN on a dilated ResNet-${backbone.slice(6)}, heads out and aux`,
  defaults: { widthMultiplier: 1, auxLoss: true },
  keys: "torchvision",
  backbone,
  graph: (options, name) => fcnResNet(name, backbone, options),
});

/** The FCNs of torchvision, under its names. With `auxLoss` false there is one head, and `forward` returns a tensor. */
export const TORCHVISION_NETS: Family = {
  fcn_resnet50: entry("resnet50"),
  fcn_resnet101: entry("resnet101"),
};
