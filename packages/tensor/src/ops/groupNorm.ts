import { show } from "../device/errors.js";
import { invalidArgument, invalidShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { checkFloat } from "./operands.js";
import { add, mul, pow, sub } from "./pointwise.js";
import { mean } from "./reduce.js";
import { permute, reshape } from "./view.js";

export interface GroupNormOptions {
  /** Groups of neighbouring channels; must divide the channels. */
  readonly groups: number;
  /** Scale of each channel, [C]. */
  readonly weight?: Tensor | undefined;
  /** Shift of each channel, [C]. */
  readonly bias?: Tensor | undefined;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number | undefined;
}

const OP = "groupNorm";

function check(x: Tensor, { groups, weight, bias }: GroupNormOptions): void {
  checkFloat(OP, "x", x);
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
  for (const [name, vector] of Object.entries({ weight, bias })) {
    if (!vector) continue;
    checkFloat(OP, name, vector);
    if (vector.shape.length === 1 && vector.shape[0] === channels) continue;
    throw invalidShape(
      `${OP}: ${name} has shape ${show(vector.shape)}, expected [${channels}] for x ${show(x.shape)}`,
      `pass one ${name} a channel`,
    );
  }
}

/**
 * Normalises each group of channels of each image of x [N, C, ...] to mean 0 and (biased) variance 1, then scales by
 * `weight` and adds `bias` (torch.nn.functional.group_norm; Wu and He 2018). Throws `invalid-argument` where the groups do
 * not divide the channels and `invalid-shape` where a vector is not [C].
 */
export function groupNorm(x: Tensor, options: GroupNormOptions): Tensor {
  check(x, options);
  const { groups, weight, bias, eps = 1e-5 } = options;
  const [n, channels, ...extents] = x.shape as [number, number, ...number[]];
  const last = extents.map((_, i) => i + 2);
  // Channels last is how activations lie in memory, so that neither of these two copies.
  using channelsLast = permute(x, [0, ...last, 1]);
  using grouped = reshape(channelsLast, [n, x.size / (n * channels), groups, channels / groups]);
  const over = { dim: [1, 3], keepdim: true };
  using centre = mean(grouped, over);
  using centred = sub(grouped, centre);
  using squared = mul(centred, centred);
  using variance = mean(squared, over);
  using shifted = add(variance, eps);
  using inverse = pow(shifted, -0.5);
  using normalised = mul(centred, inverse);
  const rows = reshape(normalised, [n, ...extents, channels]);
  const scaled = weight ? mul(rows, weight) : rows;
  const moved = bias ? add(scaled, bias) : scaled;
  const y = permute(moved, [0, extents.length + 1, ...extents.map((_, i) => i + 1)]);
  for (const step of new Set([rows, scaled, moved])) step.dispose();
  return y;
}
