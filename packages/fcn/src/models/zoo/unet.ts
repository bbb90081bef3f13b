import { scaleWidth } from "../backbones/convNorm.js";
import { GraphBuilder } from "../graph/builder.js";
import type { Layer } from "../graph/kinds/index.js";
import type { Graph } from "../graph/spec.js";
import { outLayer } from "../heads/unet.js";
import type { Resolved } from "../modelOptions.js";
import type { Family } from "./entry.js";

const WIDTHS = [64, 128, 256, 512, 1024] as const;

/**
 * The U-Net of Ronneberger et al. 2015, with padding so that sizes stay the same. Pools keep an odd last row, and the
 * extra row that the up-convolution makes of it is cut off. With batch norm, the keys are those of
 * milesial/Pytorch-UNet.
 */
function unet(options: Resolved, name: string): Graph {
  const builder = new GraphBuilder(name);
  const data = builder.add("data", { kind: "input", channels: options.inChannels });
  const widths = WIDTHS.map((width) => scaleWidth(width, options.widthMultiplier));

  const convolve = (name: string, i: number, outChannels: number, input: string): string => {
    const { batchNorm } = options;
    const layer: Layer = { kind: "conv", outChannels, kernelSize: 3, padding: 1, bias: !batchNorm, init: "kaiming" };
    const conv = builder.add(`${name}.${i}`, layer, input);
    const normed = batchNorm ? builder.add(`${name}.${i + 1}`, { kind: "batchNorm" }, conv) : conv;
    return builder.add(`${name}.${i + 2}`, { kind: "relu" }, normed);
  };
  const double = (name: string, channels: number, input: string): string =>
    convolve(`${name}.double_conv`, 3, channels, convolve(`${name}.double_conv`, 0, channels, input));

  const [width = 0, ...deeper] = widths;
  const features = [double("inc", width, data)];
  deeper.forEach((channels, i) => {
    const pool: Layer = { kind: "maxPool", kernelSize: 2, stride: 2, ceilMode: true };
    const down = builder.add(`down${i + 1}.maxpool_conv.0`, pool, features[i] as string);
    features.push(double(`down${i + 1}.maxpool_conv.1`, channels, down));
  });

  const depth = deeper.length;
  const end = features.reduceRight((last, skip, level) => {
    const name = `up${depth - level}`;
    const outChannels = widths[level] as number;
    const up: Layer = { kind: "convTranspose", outChannels, kernelSize: 2, stride: 2, bias: true, init: "default" };
    const cut = builder.add(`${name}.crop`, { kind: "crop" }, builder.add(`${name}.up`, up, last), skip);
    return double(`${name}.conv`, outChannels, builder.add(`${name}.concat`, { kind: "concat" }, skip, cut));
  });
  return builder.build({ out: builder.add("outc.conv", outLayer(options.numClasses, 1), end) });
}

/** The U-Net to train from scratch. */
export const UNET: Family = {
  unet: {
    summary: "U-Net of 64 to 1024 channels",
    defaults: { widthMultiplier: 1, batchNorm: true },
    keys: "own",
    graph: unet,
  },
};
