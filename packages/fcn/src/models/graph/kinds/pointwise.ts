import { mul, nn, relu6 as relu6Of, relu as reluOf } from "@fcn/tensor";
import { type Kind, ONE, runModule, sameChannels, stateless, unmoved } from "./kind.js";
import * as rule from "./rules.js";

export interface Relu {
  readonly kind: "relu";
}

export interface Relu6 {
  readonly kind: "relu6";
}

/** Drops single values, or whole channels. */
export interface Dropout {
  readonly kind: "dropout";
  readonly p: number;
  readonly channelwise?: boolean;
}

export interface Scale {
  readonly kind: "scale";
  readonly factor: number;
}

const pointwise = {
  inputs: ONE,
  needed: {},
  optional: {},
  fault: undefined,
  channels: sameChannels,
  ...unmoved,
  ...stateless,
} as const;

export const relu: Kind<Relu> = { ...pointwise, scores: "neither", run: (_, { x }) => reluOf(x) };

export const relu6: Kind<Relu6> = { ...pointwise, scores: "neither", run: (_, { x }) => relu6Of(x) };

export const dropout: Kind<Dropout> = {
  ...pointwise,
  needed: { p: rule.part },
  optional: { channelwise: rule.flag },
  scores: "passes",
  build: ({ p, channelwise = false }, { seed }) => new (channelwise ? nn.Dropout2d : nn.Dropout)({ p, seed }),
  run: runModule,
};

export const scale: Kind<Scale> = {
  ...pointwise,
  needed: { factor: rule.real },
  scores: "passes",
  run: ({ factor }, { x }) => mul(x, factor),
};
