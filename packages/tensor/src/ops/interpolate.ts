import { type InterpolateGeometry, interpolateScale, planInterpolate, planInterpolateBackward } from "@fcn/kernels";
import { record } from "../core/autograd.js";
import { planned } from "../core/planned.js";
import { inOrder, Tensor } from "../core/tensor.js";
import { invalidArgument, invalidShape, show } from "../plain/errors.js";
import { CHANNELS_LAST } from "../plain/layout.js";
import { checkOptions } from "../plain/options.js";
import { boolean, extent, oneOf, positive, type RulesOf, rule } from "../plain/rules.js";
import { pair } from "../plain/shape.js";
import { imageSizes, inputGradient } from "./operands.js";

/** Give exactly one of `size` and `scaleFactor`. */
export interface InterpolateOptions {
  /** Output size in pixels, a number or [h, w]. */
  readonly size?: number | readonly number[] | undefined;
  /** Output size = floor(input size * scaleFactor). Sampling positions are exactly 1 / scaleFactor apart. */
  readonly scaleFactor?: number | readonly number[] | undefined;
  /** Default "nearest". */
  readonly mode?: "nearest" | "bilinear" | undefined;
  /** Bilinear only: align the centres of the corner pixels. Default false, which aligns the edges of the images. */
  readonly alignCorners?: boolean | undefined;
}

const OP = "interpolate";
/** @internal */
export const INTERPOLATE: RulesOf<InterpolateOptions> = {
  size: extent(1),
  scaleFactor: rule("a number above 0 or two of them as [h, w]", (value) =>
    pair(value as number).every(positive.holds),
  ),
  mode: oneOf("nearest", "bilinear"),
  alignCorners: boolean,
};

function geometry(x: Tensor, options: InterpolateOptions): InterpolateGeometry {
  const [n, channels, inH, inW] = imageSizes(OP, x);
  checkOptions<InterpolateOptions>(OP, options, INTERPOLATE);
  const { size, scaleFactor, mode = "nearest", alignCorners = false } = options;
  if ((size === undefined) === (scaleFactor === undefined)) {
    throw invalidArgument(
      `${OP}: ${size === undefined ? "neither" : "both"} of size and scaleFactor given for x ${show(x.shape)}, expected one`,
      "pass either size: [h, w] or scaleFactor",
    );
  }
  if (alignCorners && mode === "nearest") {
    throw invalidArgument(
      `${OP}: mode ${JSON.stringify(mode)} with alignCorners ${alignCorners}, expected "nearest" without alignCorners or "bilinear"`,
      'pass mode: "bilinear", or leave alignCorners out',
    );
  }
  const factor = scaleFactor === undefined ? undefined : pair(scaleFactor);
  const [outH, outW] = factor ? [Math.floor(inH * factor[0]), Math.floor(inW * factor[1])] : pair(size!);
  if (outH < 1 || outW < 1) {
    throw invalidShape(
      `${OP}: scaleFactor ${JSON.stringify(scaleFactor)} makes x ${show(x.shape)} ${outH} x ${outW}, expected at least 1 x 1`,
      "use a larger scaleFactor",
    );
  }
  const scaleH = interpolateScale(inH, outH, factor?.[0], { mode, alignCorners });
  const scaleW = interpolateScale(inW, outW, factor?.[1], { mode, alignCorners });
  return { n, channels, inH, inW, outH, outW, scaleH, scaleW, mode, alignCorners };
}

/**
 * Resizes images [N, C, H, W] -> [N, C, OH, OW] (torch.nn.functional.interpolate, modes nearest and bilinear). Throws
 * `invalid-argument` for contradictory options and `invalid-shape` if the output would be empty.
 *
 * Mode nearest with a `scaleFactor` reads input floor(o / scaleFactor) for output o. If the factor (such as 1.02 or
 * 2.03) makes the output exactly as large as the input, or twice as large, it reads input o or floor(o / 2) instead. So
 * does PyTorch on the CPU in its channels-last format, and in every gradient. PyTorch is not consistent here: for
 * several channels in the default format its forward pass divides by the factor even then, and on CUDA only equal sizes
 * are special.
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  const g = geometry(x, options);
  const { runtime, shape, dtype } = x;
  using xs = inOrder(x, CHANNELS_LAST);
  const y = Tensor.empty(runtime, [g.n, g.channels, g.outH, g.outW], { dtype, order: CHANNELS_LAST });
  runtime.run(OP, planned(planInterpolate, g), { x: xs, y });
  return record(OP, y, [x], [], (grad) => {
    const plan = planned(planInterpolateBackward, g);
    return inputGradient(OP, plan, grad, { shape, dtype, order: CHANNELS_LAST });
  });
}
