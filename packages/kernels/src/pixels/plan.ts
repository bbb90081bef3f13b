import { boundPart, type Range, roomOf } from "../bindingParts.js";
import { type Capabilities, ceilDiv, foldGrid, type Plan, roundUp, type Step, UNREAD } from "../plan.js";
import { pixelsCanvas as CANVAS, pixelsPlanes as PLANES } from "../wgsl.generated.js";

const WG = 64;
/** Copies between buffers and textures take rows that begin at multiples of so many words (256 bytes). */
const ROW_WORDS = 64;
/** The most words that are copied between a buffer and a texture at once: 64 MiB. */
const MOST_WORDS = 2 ** 24;
const BYTES = 256;

/** A rectangle of an image whose rows lie `pitch` words apart in a buffer. */
export interface PixelPart {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
  readonly pitch: number;
}

/**
 * An image in parts whose sides are at most `mostSide`, each of which fits a binding and 64 MiB. There are none where a
 * row does not fit.
 */
export function pixelParts(height: number, width: number, mostSide: number, caps: Capabilities): PixelPart[] {
  const columns = Math.min(width, mostSide);
  const rows = Math.min(mostSide, Math.floor(Math.min(MOST_WORDS, roomOf(caps)) / roundUp(columns, ROW_WORDS)));
  const parts: PixelPart[] = [];
  for (let top = 0; rows > 0 && top < height; top += rows) {
    for (let left = 0; left < width; left += columns) {
      const own = Math.min(columns, width - left);
      parts.push({ top, left, height: Math.min(rows, height - top), width: own, pitch: roundUp(own, ROW_WORDS) });
    }
  }
  return parts;
}

/**
 * Planes of floats from pixels. Operands: x (int32 [pixels]), table (float32 [channels, 256]: what the bytes of each
 * plane stand for) and y (float32 [channels, pixels]).
 *
 * @param bytes the byte of a pixel that each plane is made of: 0 is red, 1 green, 2 blue, 3 opacity
 */
export function planPlanes(pixels: number, bytes: readonly number[], caps: Capabilities): Plan {
  const most = Math.min(pixels, roomOf(caps));
  const steps: Step[] = [];
  for (const [c, byte] of bytes.entries()) {
    for (let begin = 0; begin < pixels; begin += most) {
      const end = Math.min(pixels, begin + most);
      const own: Range = { begin: c * pixels + begin, end: c * pixels + end };
      const [x, y] = [boundPart("x", { begin, end }, pixels), boundPart("y", own, bytes.length * pixels)];
      const row: Range = { begin: c * BYTES, end: (c + 1) * BYTES };
      steps.push({
        kernel: PLANES,
        params: { count: end - begin, source: begin - x.origin, first: own.begin - y.origin, shift: 8 * byte },
        operands: { x: x.operand, table: boundPart("table", row, bytes.length * BYTES).operand, y: y.operand },
        grid: foldGrid(ceilDiv(end - begin, WG)),
      });
    }
  }
  return { steps };
}

export interface CanvasCase {
  /** Pixels of the whole image. */
  readonly pixels: number;
  /** Pixels in the rows above the part. */
  readonly above: number;
  /** The part, which is as wide as the image. */
  readonly part: Pick<PixelPart, "height" | "width" | "pitch">;
  /** Planes of floats, 1 or 3, or 0 for packed pixels. */
  readonly channels: 0 | 1 | 3;
  /** Whether blue is the lowest byte of a pixel of the canvas. */
  readonly swapped: boolean;
}

/**
 * Rows of a canvas. Operands: x ([pixels] or [channels, pixels]) and y (int32 [rows, pitch] of the part, which {@link
 * pixelParts} made to fit).
 */
export function planCanvas({ pixels, above, part, channels, swapped }: CanvasCase, _: Capabilities): Plan {
  const count = part.height * part.width;
  const total = Math.max(1, channels) * pixels;
  const planes = [0, 1, 2].map((c) => {
    if (c >= Math.max(1, channels)) return { operand: UNREAD, first: 0 };
    const begin = c * pixels + above;
    const { operand, origin } = boundPart("x", { begin, end: begin + count }, total);
    return { operand, first: begin - origin };
  });
  const [x0, x1, x2] = planes as [(typeof planes)[0], (typeof planes)[0], (typeof planes)[0]];
  const step: Step = {
    kernel: CANVAS,
    constants: { CHANNELS: channels, SWAPPED: swapped },
    params: {
      count,
      width: part.width,
      pitch: part.pitch,
      first0: x0.first,
      first1: x1.first,
      first2: x2.first,
    },
    operands: { x0: x0.operand, x1: x1.operand, x2: x2.operand, y: "y" },
    grid: foldGrid(ceilDiv(count, WG)),
  };
  return { steps: [step] };
}
