import { convNorm } from "../backbones/convNorm.js";
import type { GraphBuilder } from "../graph/builder.js";

/**
 * Appends torchvision's FCNHead as `name`.0 to `name`.4 after features of `channels` channels: 3x3 convolution to a
 * quarter of the channels, batch norm, ReLU, dropout 0.1, 1x1 convolution to the classes. Returns the name of the
 * scores, which have the resolution of the features.
 */
export function fcnHead(
  builder: GraphBuilder,
  name: string,
  channels: number,
  numClasses: number,
  input: string,
): string {
  const names = { conv: `${name}.0`, norm: `${name}.1`, activation: `${name}.2` };
  const layer = {
    channels: Math.max(1, Math.floor(channels / 4)),
    kernelSize: 3,
    padding: 1,
    activation: "relu",
    init: "default",
  } as const;
  const hidden = convNorm(builder, names, layer, input);
  const kept = builder.add(`${name}.3`, { kind: "dropout", p: 0.1 }, hidden);
  return builder.add(`${name}.4`, { kind: "conv", outChannels: numClasses, kernelSize: 1 }, kept);
}
