import type { GraphBuilder } from "../graph/builder.js";
import type { Backbone } from "./backbone.js";
import { convNorm } from "./convNorm.js";
import { roundToEight } from "./mobilenet.js";

/** Options of {@link mobileNetV3Backbone}. */
export interface MobileNetV3Spec {
  /** Prepended to the index of every block, such as `backbone.features.`. */
  readonly prefix: string;
  readonly widthMultiplier: number;
  /** Whether the last blocks dilate instead of halving the resolution, so that the top keeps stride 16. */
  readonly dilated: boolean;
}

/** Kernel, expanded channels, channels, whether it squeezes, activation and stride: table 1 of Howard et al. 2019. */
const LARGE = [
  [3, 16, 16, false, "relu", 1],
  [3, 64, 24, false, "relu", 2],
  [3, 72, 24, false, "relu", 1],
  [5, 72, 40, true, "relu", 2],
  [5, 120, 40, true, "relu", 1],
  [5, 120, 40, true, "relu", 1],
  [3, 240, 80, false, "hardswish", 2],
  [3, 200, 80, false, "hardswish", 1],
  [3, 184, 80, false, "hardswish", 1],
  [3, 184, 80, false, "hardswish", 1],
  [3, 480, 112, true, "hardswish", 1],
  [3, 672, 112, true, "hardswish", 1],
  [5, 672, 160, true, "hardswish", 2],
  [5, 960, 160, true, "hardswish", 1],
  [5, 960, 160, true, "hardswish", 1],
] as const;

/** The first row that dilates in the dilated form. */
const DILATED_FROM = 12;
const NORM = { eps: 1e-3, momentum: 0.01 } as const;

/**
 * Appends MobileNetV3-Large (torchvision.models.mobilenet_v3_large) without its classifier, under the names of
 * `features`. Each block is a stage: features_0 has stride 2, and features_2, 4, 7 and 13 are the first at strides 4,
 * 8, 16 and 32. The top is the 1x1 convolution to six times the channels of the last block.
 */
export function mobileNetV3Backbone(builder: GraphBuilder, input: string, spec: MobileNetV3Spec): Backbone {
  const { prefix, widthMultiplier, dilated } = spec;
  const names = (path: string) => ({ conv: `${prefix}${path}.0`, norm: `${prefix}${path}.1` });
  const scaled = (width: number): number => roundToEight(width * widthMultiplier);
  const layer = (path: string, own: Omit<Parameters<typeof convNorm>[2], "eps" | "momentum">, from: string): string =>
    convNorm(builder, names(path), { ...own, ...NORM }, from);

  let channels = scaled(16);
  const stem = { channels, kernelSize: 3, stride: 2, padding: 1, activation: "hardswish" } as const;
  let last = layer("0", stem, input);
  const stages: Record<string, string> = { features_0: last };
  for (const [i, [kernelSize, expanded, width, squeezes, activation, stride]] of LARGE.entries()) {
    const block = `${i + 1}.block`;
    const [before, from] = [last, channels];
    const hidden = scaled(expanded);
    const dilation = dilated && i >= DILATED_FROM ? 2 : 1;
    channels = scaled(width);
    let part = 0;
    if (hidden !== from) last = layer(`${block}.${part++}`, { channels: hidden, kernelSize: 1, activation }, last);
    const window = {
      kernelSize,
      stride: dilation > 1 ? 1 : stride,
      padding: ((kernelSize - 1) / 2) * dilation,
      ...(dilation > 1 ? { dilation } : {}),
    };
    last = layer(`${block}.${part++}`, { channels: hidden, groups: hidden, ...window, activation }, last);
    if (squeezes) last = squeezeExcitation(builder, `${prefix}${block}.${part++}`, hidden, last);
    last = layer(`${block}.${part}`, { channels, kernelSize: 1 }, last);
    const isResidual = stride === 1 && channels === from;
    if (isResidual) last = builder.add(`${prefix}${i + 1}.add`, { kind: "add" }, last, before);
    stages[`features_${i + 1}`] = last;
  }
  const wide = { channels: 6 * channels, kernelSize: 1, activation: "hardswish" } as const;
  return { stages, top: layer(`${LARGE.length + 1}`, wide, last) };
}

/** torchvision.ops.SqueezeExcitation with a hard sigmoid, to a quarter of the channels and back. */
function squeezeExcitation(builder: GraphBuilder, name: string, channels: number, input: string): string {
  const outward = { kind: "conv", kernelSize: 1, init: "kaiming" } as const;
  const pooled = builder.add(`${name}.avgpool`, { kind: "globalPool" }, input);
  const squeezed = roundToEight(Math.floor(channels / 4));
  const narrow = builder.add(`${name}.fc1`, { ...outward, outChannels: squeezed }, pooled);
  const active = builder.add(`${name}.activation`, { kind: "relu" }, narrow);
  const wide = builder.add(`${name}.fc2`, { ...outward, outChannels: channels }, active);
  const factors = builder.add(`${name}.scale_activation`, { kind: "hardsigmoid" }, wide);
  return builder.add(`${name}.gate`, { kind: "gate" }, input, factors);
}
