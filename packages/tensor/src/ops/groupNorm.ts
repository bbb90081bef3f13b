import type { Tensor } from "../core/tensor.js";
import { invalidArgument, show } from "../plain/errors.js";
import { checkOptions } from "../plain/options.js";
import { checkedInUse, from, type RulesOf, required, whole } from "../plain/rules.js";
import { checkNorm, normalise } from "./norm.js";

export interface GroupNormOptions {
  /** Number of groups of neighbouring channels; must divide the number of channels. */
  readonly groups: number;
  /** Scale of each channel, [C]. */
  readonly weight?: Tensor | undefined;
  /** Shift of each channel, [C]. */
  readonly bias?: Tensor | undefined;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number | undefined;
}

const OP = "groupNorm";

const OPTIONS: RulesOf<GroupNormOptions> = {
  groups: required(whole(1)),
  weight: checkedInUse,
  bias: checkedInUse,
  eps: from(0),
};

/**
 * Normalises each group of channels of each image of x [N, C, ...] to mean 0 and (biased) variance 1, then scales by
 * `weight` and adds `bias` (torch.nn.functional.group_norm; Wu and He 2018). Throws `invalid-argument` if the number of
 * groups does not divide the channels and `invalid-shape` if a vector is not [C].
 */
export function groupNorm(x: Tensor, options: GroupNormOptions): Tensor {
  checkOptions<GroupNormOptions>(OP, options, OPTIONS);
  const channels = checkNorm(OP, x, options);
  const { groups, eps = 1e-5 } = options;
  if (channels % groups !== 0) {
    throw invalidArgument(
      `${OP}: groups is ${groups}, which does not divide the ${channels} channels of x ${show(x.shape)}`,
      `pass a number of groups that divides ${channels}`,
    );
  }
  const images = x.shape[0]!;
  const rows = x.size / (images * channels);
  return normalise(OP, x, options, { images, rows, channels, groups, frozen: false, eps });
}
