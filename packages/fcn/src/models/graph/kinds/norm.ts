import { localResponseNorm, nn } from "@fcn/tensor";
import { groupsFault } from "./conv.js";
import { type Kind, oneToOne, runModule, stateless } from "./kind.js";
import * as rule from "./rules.js";

/** Caffe's LRN across channels: x / (k + alpha / size * sum of `size` squares)^beta. */
export interface Lrn {
  readonly kind: "lrn";
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k?: number;
}

const norm = { ...oneToOne, scores: "neither" } as const;

export const batchNorm: Kind<{ readonly kind: "batchNorm"; readonly eps?: number; readonly momentum?: number }> = {
  ...norm,
  optional: { eps: rule.positive, momentum: rule.probability },
  parameters: (_, c) => ({ weight: [c], bias: [c], running_mean: [c], running_var: [c] }),
  build: ({ eps = 1e-5, momentum = 0.1 }, { device, inChannels }) =>
    new nn.BatchNorm2d(device, inChannels, { eps, momentum }),
  adapt: undefined,
  run: runModule,
};

export const groupNorm: Kind<{ readonly kind: "groupNorm"; readonly groups: number; readonly eps?: number }> = {
  ...norm,
  needed: { groups: rule.channels },
  optional: { eps: rule.positive },
  fault: ({ groups }, [channels = 0]) => groupsFault(groups, channels, channels),
  isGlobal: true,
  parameters: (_, c) => ({ weight: [c], bias: [c] }),
  build: ({ groups, eps = 1e-5 }, { device, inChannels }) => new nn.GroupNorm(device, groups, inChannels, { eps }),
  adapt: undefined,
  run: runModule,
};

export const lrn: Kind<Lrn> = {
  ...norm,
  needed: { size: rule.whole(1, rule.LIMITS.extent), alpha: rule.finite, beta: rule.finite },
  optional: { k: rule.finite },
  ...stateless,
  run: ({ size, alpha, beta, k = 1 }, { x }) => localResponseNorm(x, { size, alpha, beta, k }),
};
