import { type Capabilities, ceilDiv, foldGrid, type Plan, type Step, UNREAD } from "../plan.js";
import { paintPaint as PAINT } from "../wgsl.generated.js";
import { rowRuns, sliceOf } from "../windows.js";

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
  const steps = rowRuns(pixels, 1, caps).map((run): Step => {
    const part = (name: string) => sliceOf(name, run, pixels);
    const count = run.end - run.begin;
    return {
      kernel: PAINT,
      constants: { IMAGE: image },
      params: { count, first: run.begin - part("").origin, colours, plain, alpha },
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
