import { boundPart, rowRanges } from "../bindingParts.js";
import { type Capabilities, ceilDiv, foldGrid, type Plan, type Step, UNREAD } from "../plan.js";
import { paintPaint as PAINT } from "../wgsl.generated.js";

const WG = 64;

export interface PaintCase {
  readonly pixels: number;
  readonly colours: number;
  /** Whether there is an image under the colours. */
  readonly image: boolean;
  /** Opacity of the colours, from 0 to 1. */
  readonly alpha: number;
  /** The label that is not coloured; -1 for none. */
  readonly plain: number;
}

/**
 * Colours of labels, blended over an image. Operands: labels (int32 [pixels]), palette (int32 [colours]), y (int32
 * [pixels]) and, with `image`, image (int32 [pixels]). A colour is four bytes: red lowest, then green, blue and
 * opacity.
 */
export function planPaint({ pixels, colours, image, alpha, plain }: PaintCase, caps: Capabilities): Plan {
  const steps = rowRanges(pixels, 1, caps).map((range): Step => {
    const part = (name: string) => boundPart(name, range, pixels);
    const count = range.end - range.begin;
    return {
      kernel: PAINT,
      constants: { IMAGE: image },
      params: { count, first: range.begin - part("").origin, colours, plain, alpha },
      operands: {
        labels: part("labels").operand,
        palette: "palette",
        image: image ? part("image").operand : UNREAD,
        y: part("y").operand,
      },
      grid: foldGrid(ceilDiv(count, WG)),
    };
  });
  return { steps };
}
