import { batchNorm as batchNormOf, type FrozenNorm, localResponseNorm, nn } from "@fcn/tensor";
import { groupsFault } from "./conv.js";
import { type Kind, learned, oneToOne, runModule, stateless } from "./kind.js";
import * as rule from "./rules.js";

/** Caffe's LRN across channels: x / (k + alpha / size * sum of `size` squares)^beta. */
export interface Lrn {
  readonly kind: "lrn";
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k?: number;
}

export interface BatchNorm {
  readonly kind: "batchNorm";
  readonly eps?: number;
  readonly momentum?: number;
}

const norm = { ...oneToOne, scores: "neither" } as const;

/** The layer in evaluation, as the end of a convolution. */
export function frozenNorm({ eps = 1e-5 }: BatchNorm, module: nn.BatchNorm2d): FrozenNorm {
  const { weight, bias, runningMean, runningVar } = module;
  return { weight, bias, runningMean, runningVar, eps };
}

export const batchNorm: Kind<BatchNorm> = {
  ...norm,
  optional: { eps: rule.positive, momentum: rule.probability },
  parameters: (_, c) => ({ weight: [c], bias: [c], running_mean: [c], running_var: [c] }),
  buffers: () => ["running_mean", "running_var"],
  multiplyAdds: undefined,
  build: ({ eps = 1e-5, momentum = 0.1 }, { device, inChannels }) =>
    new nn.BatchNorm2d(device, inChannels, { eps, momentum }),
  adapt: undefined,
  run: (layer, { x, module, fusion }) => {
    const norm = module as nn.BatchNorm2d;
    const { momentum = 0.1 } = layer;
    return batchNormOf(x, { ...frozenNorm(layer, norm), momentum, training: norm.training, ...fusion });
  },
};

export const groupNorm: Kind<{ readonly kind: "groupNorm"; readonly groups: number; readonly eps?: number }> = {
  ...norm,
  needed: { groups: rule.channels },
  optional: { eps: rule.positive },
  fault: ({ groups }, [channels = 0]) => groupsFault(groups, channels, channels),
  isGlobal: true,
  parameters: (_, c) => ({ weight: [c], bias: [c] }),
  ...learned,
  multiplyAdds: undefined,
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
