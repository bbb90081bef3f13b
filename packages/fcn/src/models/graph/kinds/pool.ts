import { avgPool2d, maxPool2d } from "@fcn/tensor";
import type { PaddedWindow } from "../plane/window.js";
import { type Kind, ONE, sameChannels, stateless } from "./kind.js";
import * as rule from "./rules.js";
import { pair, slidingWindow, windowOptions, windowRules } from "./slidingWindow.js";

export interface MaxPool extends PaddedWindow {
  readonly kind: "maxPool";
  readonly ceilMode?: boolean;
}

/** The padding is counted in the mean unless `countIncludePad` is false, as in PyTorch. */
export interface AvgPool extends PaddedWindow {
  readonly kind: "avgPool";
  readonly ceilMode?: boolean;
  readonly countIncludePad?: boolean;
}

const pool = {
  inputs: ONE,
  needed: windowRules.needed,
  optional: { ...windowRules.optional, ceilMode: rule.flag },
  fault: undefined,
  channels: sameChannels,
  ...slidingWindow,
  scores: "neither",
  ...stateless,
} as const;

export const maxPool: Kind<MaxPool> = {
  ...pool,
  run: (layer, { x }) =>
    maxPool2d(x, {
      ...windowOptions(layer, x),
      kernelSize: pair(layer.kernelSize, 1),
      dilation: pair(layer.dilation, 1),
      ceilMode: layer.ceilMode ?? false,
    }),
};

export const avgPool: Kind<AvgPool> = {
  ...pool,
  optional: { ...pool.optional, countIncludePad: rule.flag },
  dilate: () => "leave the strides before it as they are: name other layers",
  run: (layer, { x }) =>
    avgPool2d(x, {
      ...windowOptions(layer, x),
      kernelSize: pair(layer.kernelSize, 1),
      ceilMode: layer.ceilMode ?? false,
      countIncludePad: layer.countIncludePad ?? true,
    }),
};
