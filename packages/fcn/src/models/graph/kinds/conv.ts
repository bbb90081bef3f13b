import { conv2d, nn } from "@fcn/tensor";
import { elementsOf } from "@fcn/tensor/internal";
import type { PaddedWindow } from "../plane/window.js";
import { type ConvInit, convValues, INIT_NAMES } from "../weights/initialise.js";
import { type BuildContext, type Fault, type Kind, learned, ONE, type Shapes } from "./kind.js";
import * as rule from "./rules.js";
import { pair, slidingWindow, windowOptions, windowRules } from "./slidingWindow.js";

export interface Conv extends PaddedWindow {
  readonly kind: "conv";
  readonly outChannels: number;
  readonly groups?: number;
  readonly bias?: boolean;
  readonly init?: ConvInit;
}

const init = rule.rule(`one of ${INIT_NAMES.join(", ")}, or { deviation }`, (value) => {
  if ((INIT_NAMES as readonly unknown[]).includes(value)) return true;
  if (typeof value !== "object" || value === null) return false;
  const { deviation, ...rest } = value as { deviation?: unknown };
  return rule.from(0).holds(deviation) && Object.keys(rest).length === 0;
});

export const conv: Kind<Conv> = {
  inputs: ONE,
  needed: { outChannels: rule.channels, ...windowRules.needed },
  optional: { ...windowRules.optional, groups: rule.channels, bias: rule.boolean, init },
  fault: ({ groups = 1, outChannels }, [from = 0]) => groupsFault(groups, from, outChannels),
  channels: ({ outChannels }) => outChannels,
  ...slidingWindow,
  scores: "makes",
  parameters,
  ...learned,
  multiplyAdds: (layer, inChannels, { to }) => to * elementsOf(parameters(layer, inChannels).weight as number[]),
  build,
  adapt: (_, from, wanted) => (isFullyConnected(from, wanted) ? (blob) => ({ ...blob, shape: wanted }) : undefined),
  run: (layer, { x, module, fusion }) => {
    const { weight, bias } = module as nn.Conv2d;
    const { groups = 1 } = layer;
    const window = { ...windowOptions(layer, x), dilation: pair(layer.dilation, 1), groups };
    const { norm, residual, activation } = fusion ?? {};
    return conv2d(x, weight, bias, { ...window, norm, residual, activation });
  },
};

function parameters({ outChannels, groups = 1, kernelSize, bias = true }: Conv, inChannels: number): Shapes {
  const weight = [outChannels, inChannels / groups, ...pair(kernelSize, 1)];
  return bias ? { weight, bias: [outChannels] } : { weight };
}

function build(layer: Conv, { device, inChannels, seed }: BuildContext): nn.Module {
  const { outChannels, groups = 1, bias = true, init = "default" } = layer;
  const kernelSize = pair(layer.kernelSize, 1);
  const conv = new nn.Conv2d(device, inChannels, outChannels, { kernelSize, groups, bias });
  const values = convValues(device, [outChannels, inChannels / groups, ...kernelSize], init, bias, seed);
  conv.loadStateDict({ ...values });
  values.weight.dispose();
  values.bias?.dispose();
  return conv;
}

/** What is wrong with a number of groups, or undefined if it is valid. */
export const groupsFault = (groups: number, from: number, to: number): Fault | undefined =>
  from % groups === 0 && to % groups === 0
    ? undefined
    : [`${groups} groups do not divide ${from} and ${to} channels`, "choose groups that divide both"];

/** Whether `shape` is that of the fully connected matrix with the same values as a convolution of the other shape. */
export const isFullyConnected = (shape: readonly number[], [out = 0, ...window]: readonly number[]): boolean =>
  shape.length === 2 && shape[0] === out && shape[1] === elementsOf(window);
