import type { GraphBuilder } from "../graph/builder.js";
import type { PaddedWindow } from "../graph/plane/window.js";
import type { ConvInit } from "../graph/weights/initialise.js";

/** A convolution without bias, then batch norm and an optional activation. */
export interface ConvNorm extends PaddedWindow {
  readonly channels: number;
  readonly groups?: number;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Weight of a new batch in the running statistics. Default 0.1. */
  readonly momentum?: number;
  readonly activation?: "relu" | "relu6" | "hardswish";
  /** Default `kaiming`. */
  readonly init?: ConvInit;
}

/** Names of the nodes. `conv` and `norm` are also prefixes of state-dict keys. */
export interface ConvNormNames {
  readonly conv: string;
  readonly norm: string;
  /** Default: the norm's name followed by the kind of activation. */
  readonly activation?: string;
}

/** Appends the two or three layers after `input` and returns the name of the last. */
export function convNorm(builder: GraphBuilder, names: ConvNormNames, layer: ConvNorm, input: string): string {
  const { channels, eps, momentum, activation, init = "kaiming", ...window } = layer;
  const conv = builder.add(names.conv, { kind: "conv", outChannels: channels, ...window, bias: false, init }, input);
  const statistics = { ...(eps === undefined ? {} : { eps }), ...(momentum === undefined ? {} : { momentum }) };
  const norm = builder.add(names.norm, { kind: "batchNorm", ...statistics }, conv);
  if (activation === undefined) return norm;
  return builder.add(names.activation ?? `${names.norm}.${activation}`, { kind: activation }, norm);
}

/** The channels of a narrowed net: max(1, round(c * multiplier)). */
export const scaleWidth = (channels: number, multiplier: number): number =>
  Math.max(1, Math.round(channels * multiplier));
