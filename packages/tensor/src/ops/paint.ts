import { planPaint } from "@fcn/kernels";
import { planned } from "../core/planned.js";
import { contiguous, Tensor } from "../core/tensor.js";
import { invalidShape, show } from "../plain/errors.js";
import { checkOptions } from "../plain/options.js";
import { checkedInUse, integer, probability } from "../plain/rules.js";
import { sameShape } from "../plain/shape.js";
import { checkInt } from "./operands.js";

export interface PaintOptions {
  /** The image under the colours: pixels with the shape of `labels`. Without it, the colours are opaque. */
  readonly image?: Tensor | undefined;
  /** Opacity of the colours over the image, 0 to 1. Default 0.5. */
  readonly alpha?: number | undefined;
  /** A label to leave unpainted, such as 0 in the reference implementation's `vis_seg`. */
  readonly plain?: number | undefined;
}

/**
 * Colours labels, over an image if there is one. labels: int32 of any shape. palette: int32 [K], one pixel per label.
 * Returns int32 pixels with the shape of labels. A pixel is four bytes in memory order (red, green, blue, opacity), as
 * in ImageData: view the data as a Uint8ClampedArray. Labels without a colour show the image, or are transparent. Has
 * no gradient.
 */
export function paint(labels: Tensor, palette: Tensor, options: PaintOptions = {}): Tensor {
  checkOptions<PaintOptions>("paint", options, { image: checkedInUse, alpha: probability, plain: integer });
  const { image, alpha = 0.5, plain = -1 } = options;
  for (const [name, tensor] of Object.entries({ labels, palette, ...(image && { image }) })) {
    checkInt("paint", name, tensor);
  }
  if (palette.shape.length !== 1 || (image && !sameShape(image.shape, labels.shape))) {
    throw invalidShape(
      `paint: labels have shape ${show(labels.shape)}, palette ${show(palette.shape)}${image ? `, image ${show(image.shape)}` : ""}`,
      "pass a palette [K] of one pixel per label value, and an image of one pixel per label",
    );
  }
  const { runtime, shape } = labels;
  using flat = contiguous(labels);
  using under = image && contiguous(image);
  const y = Tensor.empty(runtime, shape, { dtype: "int32" });
  const job = { pixels: labels.size, colours: palette.size, image: image !== undefined, alpha, plain };
  runtime.run("paint", planned(planPaint, job), { labels: flat, palette, y, image: under });
  return y;
}
