import { convNorm, scaleWidth } from "../backbones/convNorm.js";
import type { GraphBuilder } from "../graph/builder.js";

const RATES = [12, 24, 36];

/** Options of {@link deepLabHead}. */
export interface DeepLabHeadOptions {
  readonly numClasses: number;
  /** Factor on the 256 channels of every layer of the head. */
  readonly widthMultiplier: number;
}

/**
 * Appends torchvision.models.segmentation.deeplabv3.DeepLabHead (Chen et al. 2017, section 3.3) as `name`.0 to
 * `name`.4 after the features `input`: atrous spatial pyramid pooling, 3x3 convolution, batch norm, ReLU, 1x1
 * convolution to the classes. Returns the name of the scores, which have the resolution of the features.
 */
export function deepLabHead(builder: GraphBuilder, name: string, input: string, options: DeepLabHeadOptions): string {
  const channels = scaleWidth(256, options.widthMultiplier);
  const layer = (path: string, window: { kernelSize: number; padding?: number; dilation?: number }, from: string) =>
    convNorm(
      builder,
      { conv: `${path}.0`, norm: `${path}.1`, activation: `${path}.2` },
      { channels, ...window, activation: "relu", init: "default" },
      from,
    );
  const aspp = `${name}.0`;
  const branches = [
    layer(`${aspp}.convs.0`, { kernelSize: 1 }, input),
    ...RATES.map((rate, i) => layer(`${aspp}.convs.${i + 1}`, { kernelSize: 3, padding: rate, dilation: rate }, input)),
    imageFeatures(builder, `${aspp}.convs.${RATES.length + 1}`, channels, input),
  ];
  const joined = builder.add(`${aspp}.concat`, { kind: "concat" }, ...branches);
  const projected = layer(`${aspp}.project`, { kernelSize: 1 }, joined);
  const kept = builder.add(`${aspp}.project.3`, { kind: "dropout", p: 0.5 }, projected);
  const names = { conv: `${name}.1`, norm: `${name}.2`, activation: `${name}.3` };
  const window = { channels, kernelSize: 3, padding: 1, activation: "relu", init: "default" } as const;
  const hidden = convNorm(builder, names, window, kept);
  return builder.add(`${name}.4`, { kind: "conv", outChannels: options.numClasses, kernelSize: 1 }, hidden);
}

/** The average over the whole image, through a 1x1 convolution, at every place of the features. */
function imageFeatures(builder: GraphBuilder, name: string, channels: number, input: string): string {
  const pooled = builder.add(`${name}.0`, { kind: "globalPool" }, input);
  const names = { conv: `${name}.1`, norm: `${name}.2`, activation: `${name}.3` };
  const layer = { channels, kernelSize: 1, activation: "relu", init: "default" } as const;
  const features = convNorm(builder, names, layer, pooled);
  return builder.add(`${name}.resize`, { kind: "resize", mode: "bilinear", alignCorners: false }, features, input);
}
