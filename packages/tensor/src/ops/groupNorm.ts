import { type NormOptions, planNorm } from "@fcn/kernels";
import { record } from "../autograd.js";
import { invalidArgument, invalidShape, show } from "../errors.js";
import { activationOrder } from "../layout.js";
import { checkOptions } from "../options.js";
import { checkedInUse, from } from "../rules.js";
import { inOrder, Tensor } from "../tensor.js";
import { checkNormVectors, normGradient } from "./norm.js";
import { checkFloat, given } from "./operands.js";

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

function check(x: Tensor, options: GroupNormOptions): void {
  checkFloat(OP, "x", x);
  checkOptions<GroupNormOptions>(OP, options, {
    groups: checkedInUse,
    weight: checkedInUse,
    bias: checkedInUse,
    eps: from(0),
  });
  const { groups, weight, bias } = options;
  if (x.shape.length < 2) {
    throw invalidShape(`${OP}: x has shape ${show(x.shape)}, expected [N, C, ...]`, "reshape x to [N, C, H, W]");
  }
  const channels = x.shape[1]!;
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    throw invalidArgument(
      `${OP}: groups is ${groups}, which does not divide the ${channels} channels of x ${show(x.shape)}`,
      `pass a number of groups that divides ${channels}`,
    );
  }
  checkNormVectors(OP, x, { weight, bias });
}

/**
 * Normalises each group of channels of each image of x [N, C, ...] to mean 0 and (biased) variance 1, then scales by
 * `weight` and adds `bias` (torch.nn.functional.group_norm; Wu and He 2018). Throws `invalid-argument` if the number of
 * groups does not divide the channels and `invalid-shape` if a vector is not [C].
 */
export function groupNorm(x: Tensor, options: GroupNormOptions): Tensor {
  check(x, options);
  const { groups, weight, bias, eps = 1e-5 } = options;
  const { runtime, shape } = x;
  const [images, channels] = shape as [number, number];
  const o: NormOptions = {
    images,
    rows: x.size / (images * channels),
    channels,
    groups,
    hasWeight: weight !== undefined,
    hasBias: bias !== undefined,
    frozen: false,
    eps,
  };
  const order = activationOrder(shape.length);
  using xs = inOrder(x, order);
  using stats = Tensor.empty(runtime, [2, images, groups], { tracked: false });
  const y = Tensor.empty(runtime, shape, { order });
  runtime.run(OP, planNorm(o, runtime.capabilities), given({ x: xs, y, stats, weight, bias }));
  return record(OP, y, [x, weight, bias], [xs, stats, weight], normGradient(OP, o, shape));
}
