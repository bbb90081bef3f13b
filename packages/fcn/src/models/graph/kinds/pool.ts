import { adaptiveAvgPool2d, avgPool2d, maxPool2d, type Tensor } from "@fcn/tensor";
import type { PaddedWindow } from "../plane/window.js";
import { type Kind, oneToOne, stateless } from "./kind.js";
import * as rule from "./rules.js";
import { pair, slidingWindow, windowOptions, windowRules } from "./slidingWindow.js";

export interface Pool extends PaddedWindow {
  readonly ceilMode?: boolean;
}

const pool = {
  ...oneToOne,
  needed: windowRules.needed,
  optional: { ...windowRules.optional, ceilMode: rule.boolean },
  ...slidingWindow,
  scores: "neither",
  ...stateless,
} as const;

const options = (layer: Pool, x: Tensor) => ({
  ...windowOptions(layer, x),
  kernelSize: pair(layer.kernelSize, 1),
  ceilMode: layer.ceilMode ?? false,
});

export const maxPool: Kind<Pool & { readonly kind: "maxPool" }> = {
  ...pool,
  run: (layer, { x }) => maxPool2d(x, { ...options(layer, x), dilation: pair(layer.dilation, 1) }),
};

/** As in PyTorch, the mean counts the padding unless `countIncludePad` is false, and the window has no dilation. */
export const avgPool: Kind<Pool & { readonly kind: "avgPool"; readonly countIncludePad?: boolean }> = {
  ...pool,
  optional: { ...pool.optional, countIncludePad: rule.boolean },
  fault: ({ dilation }) =>
    pair(dilation, 1).some((rate) => rate !== 1)
      ? [`it has a dilation of ${dilation}, but average pools do not dilate`, "leave the dilation out"]
      : undefined,
  dilate: () => "leave the strides before it as they are: name other layers",
  run: (layer, { x }) => avgPool2d(x, { ...options(layer, x), countIncludePad: layer.countIncludePad ?? true }),
};

/** The mean of each channel over the whole image, 1x1. */
export const globalPool: Kind<{ readonly kind: "globalPool" }> = {
  ...oneToOne,
  size: () => 1,
  width: () => Infinity,
  isGlobal: true,
  scores: "neither",
  ...stateless,
  run: (_, { x }) => adaptiveAvgPool2d(x, { outputSize: 1 }),
};
