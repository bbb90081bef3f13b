import { scaleWidth } from "../backbones/convNorm.js";
import { RESNETS, resNetBackbone, SEQUENTIAL_NAMES } from "../backbones/resnet.js";
import { GraphBuilder } from "../graph/builder.js";
import type { Graph } from "../graph/spec.js";
import type { Resolved } from "../modelOptions.js";
import type { Family } from "./entry.js";

/**
 * The net of the d2l chapter on FCN: ResNet-18, a 1x1 convolution and one learned transposed convolution 64/32 with
 * padding 16 and bias. The output is cut at the top left, because it lies 15.5 pixels off the image and no whole offset
 * can align it.
 */
function d2lResNet18(options: Resolved, name: string): Graph {
  const builder = new GraphBuilder(name);
  const data = builder.add("data", { kind: "input", channels: options.inChannels });
  const width = scaleWidth(64, options.widthMultiplier);
  const { top } = resNetBackbone(builder, data, { ...RESNETS.resnet18, width, names: SEQUENTIAL_NAMES });
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

export const D2L_NETS: Family = {
  "d2l-resnet18": {
    summary: "ResNet-18 with one learned transposed convolution",
    defaults: { widthMultiplier: 1 },
    keys: "d2l",
    backbone: "resnet18",
    graph: d2lResNet18,
  },
};
