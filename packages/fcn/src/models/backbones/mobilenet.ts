import type { GraphBuilder } from "../graph/builder.js";
import type { Padding } from "../graph/plane/window.js";
import type { Backbone } from "./backbone.js";
import { convNorm } from "./convNorm.js";

/** Options of {@link mobileNetBackbone}. */
export interface MobileNetSpec {
  /** Prepended to every name, such as `backbone.`. */
  readonly prefix: string;
  readonly widthMultiplier: number;
  /** Uses TensorFlow's padding instead of PyTorch's (1 on each side of a 3x3 window), for weights trained there. */
  readonly samePadding: boolean;
  /** Added to the variance in batch norm: 1e-5 in torchvision, 1e-3 in Keras. */
  readonly eps: number;
}

/** Expansion, channels, blocks and stride of each row of table 2 of Sandler et al. 2018. */
const ROWS = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** Rounds to a multiple of 8, never more than a tenth below `channels` (`_make_divisible` of torchvision and Keras). */
export function roundToEight(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

/**
 * Appends MobileNetV2 without its classifier: torchvision's `features`, under its names. The stages are the last blocks
 * before a strided layer: features_1, 3, 6 and 13 at strides 2, 4, 8 and 16. The top is the 1x1 convolution to 1280
 * channels at stride 32.
 */
export function mobileNetBackbone(builder: GraphBuilder, input: string, spec: MobileNetSpec): Backbone {
  const { prefix, widthMultiplier, eps } = spec;
  const padding: Padding = spec.samePadding ? "same" : 1;
  const threeByThree = (stride: number) => ({ kernelSize: 3, stride, padding, eps, activation: "relu6" }) as const;
  const oneByOne = { kernelSize: 1, eps } as const;
  const at = (path: string, i: number) => ({ conv: `${prefix}${path}.${i}.0`, norm: `${prefix}${path}.${i}.1` });
  const bare = (path: string, i: number) => ({ conv: `${prefix}${path}.${i}`, norm: `${prefix}${path}.${i + 1}` });

  let channels = roundToEight(32 * widthMultiplier);
  let last = convNorm(builder, at("features", 0), { channels, ...threeByThree(2) }, input);
  let index = 0;
  const stages: Record<string, string> = {};

  const block = (expansion: number, outChannels: number, stride: number): void => {
    index++;
    if (stride > 1) stages[`features_${index - 1}`] = last;
    const path = `features.${index}.conv`;
    const hidden = channels * expansion;
    const expand = expansion > 1;
    const wide = expand
      ? convNorm(builder, at(path, 0), { channels: hidden, ...oneByOne, activation: "relu6" }, last)
      : last;
    const next = expand ? 1 : 0;
    const depthwise = { channels: hidden, groups: hidden, ...threeByThree(stride) };
    const deep = convNorm(builder, at(path, next), depthwise, wide);
    const narrow = convNorm(builder, bare(path, next + 1), { channels: outChannels, ...oneByOne }, deep);
    const residual = stride === 1 && channels === outChannels;
    last = residual ? builder.add(`${prefix}features.${index}.add`, { kind: "add" }, narrow, last) : narrow;
    channels = outChannels;
  };

  for (const [expansion, width, count, stride] of ROWS) {
    for (let i = 0; i < count; i++) block(expansion, roundToEight(width * widthMultiplier), i === 0 ? stride : 1);
  }
  const wide = roundToEight(1280 * Math.max(1, widthMultiplier));
  const top = convNorm(builder, at("features", index + 1), { channels: wide, ...oneByOne, activation: "relu6" }, last);
  return { stages, top };
}
