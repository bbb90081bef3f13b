import { localResponseNorm, nn } from "@fcn/tensor";
import { type Kind, ONE, runModule, sameChannels, stateless, unmoved } from "./kind.js";
import * as rule from "./rules.js";

export interface BatchNorm {
  readonly kind: "batchNorm";
  readonly eps?: number;
  readonly momentum?: number;
}

export interface GroupNorm {
  readonly kind: "groupNorm";
  readonly groups: number;
  readonly eps?: number;
}

/** Caffe's LRN across channels: x / (k + alpha / size * sum of `size` squares)^beta. */
export interface Lrn {
  readonly kind: "lrn";
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k?: number;
}

const norm = { inputs: ONE, fault: undefined, channels: sameChannels, ...unmoved, scores: "neither" } as const;

export const batchNorm: Kind<BatchNorm> = {
  ...norm,
  needed: {},
  optional: { eps: rule.above0, momentum: rule.share },
  parameters: (_, channels) => ({
    weight: [channels],
    bias: [channels],
    running_mean: [channels],
    running_var: [channels],
  }),
  build: ({ eps = 1e-5, momentum = 0.1 }, { device, inChannels }) =>
    new nn.BatchNorm2d(device, inChannels, { eps, momentum }),
  adapt: undefined,
  run: runModule,
};

export const groupNorm: Kind<GroupNorm> = {
  ...norm,
  needed: { groups: rule.channels },
  optional: { eps: rule.above0 },
  fault: ({ groups }, [channels = 0]) =>
    channels % groups === 0 ? undefined : `${groups} groups do not divide ${channels} and ${channels} channels`,
  isGlobal: true,
  parameters: (_, channels) => ({ weight: [channels], bias: [channels] }),
  build: ({ groups, eps = 1e-5 }, { device, inChannels }) => new nn.GroupNorm(device, groups, inChannels, { eps }),
  adapt: undefined,
  run: runModule,
};

export const lrn: Kind<Lrn> = {
  ...norm,
  needed: { size: rule.whole(1, rule.LIMITS.extent), alpha: rule.real, beta: rule.real },
  optional: { k: rule.real },
  ...stateless,
  run: ({ size, alpha, beta, k = 1 }, { x }) => localResponseNorm(x, { size, alpha, beta, k }),
};
