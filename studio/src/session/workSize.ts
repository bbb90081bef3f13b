/** A size in pixels. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/**
 * The size at which an image is trained on and predicted: its longer side scaled down to `side` pixels, both sides in
 * whole pixels and one at least. Smaller images keep their size.
 */
export function workSize({ height, width }: Size, side: number): Size {
  const scale = Math.min(1, side / Math.max(height, width));
  return { height: Math.max(1, Math.round(height * scale)), width: Math.max(1, Math.round(width * scale)) };
}
