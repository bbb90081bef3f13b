import { planPaint } from "@fcn/kernels";
import { checkLive, contiguous, Tensor } from "../core/tensor.js";
import { invalidArgument, invalidShape, show } from "../plain/errors.js";
import { checkOptions } from "../plain/options.js";
import { checkedInUse, integer, probability } from "../plain/rules.js";
import { sameShape } from "../plain/shape.js";

export interface PaintOptions {
  /** The image under the colours: pixels as `labels`' shape. Without it labels are painted opaque on nothing. */
  readonly image?: Tensor | undefined;
  /** Share of the colour over the image, 0 to 1. Default 0.5. */
  readonly alpha?: number | undefined;
  /** A label that is left unpainted, as 0 in the reference implementation's `vis_seg`. */
  readonly plain?: number | undefined;
}

/**
 * Colours of labels, over an image where there is one. labels: int32 of any shape. palette: int32 [K], a pixel a label.
 * Returns pixels int32 of labels' shape. A pixel is the four bytes red, green, blue, opacity in memory order, as in
 * ImageData: view the data as a Uint8ClampedArray. Labels without a colour leave the image as it is, or transparent.
 * Has no gradient.
 */
export function paint(labels: Tensor, palette: Tensor, options: PaintOptions = {}): Tensor {
  checkOptions<PaintOptions>("paint", options, { image: checkedInUse, alpha: probability, plain: integer });
  const { image, alpha = 0.5, plain = -1 } = options;
  for (const [name, tensor] of Object.entries({ labels, palette, image })) {
    if (!tensor) continue;
    checkLive("paint", name, tensor);
    if (tensor.dtype === "int32") continue;
    throw invalidArgument(`paint: ${name} has dtype ${tensor.dtype}, expected int32`, {
      code: 'pass { dtype: "int32" }',
    });
  }
  if (palette.shape.length !== 1 || (image && !sameShape(image.shape, labels.shape))) {
    throw invalidShape(
      `paint: labels have shape ${show(labels.shape)}, palette ${show(palette.shape)}${image ? `, image ${show(image.shape)}` : ""}`,
      "pass one pixel a label as palette [K], and an image of one pixel a label",
    );
  }
  const { runtime, shape } = labels;
  using flat = contiguous(labels);
  using under = image && contiguous(image);
  const y = Tensor.empty(runtime, shape, { dtype: "int32" });
  const job = { pixels: labels.size, colours: palette.size, image: image !== undefined, alpha, plain };
  runtime.run("paint", planPaint(job, runtime.capabilities), {
    labels: flat,
    palette,
    y,
    ...(under && { image: under }),
  });
  return y;
}
