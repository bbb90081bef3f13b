import type { Pyramid, RgbaImage } from "./raster.js";

/** An image under construction: interleaved RGB values 0 to 255, and one label per pixel. */
export interface Canvas {
  readonly height: number;
  readonly width: number;
  readonly rgb: Float32Array;
  readonly labels: Uint8Array;
}

/** Where an image lands on a canvas: it is mirrored, then scaled, then rotated, with its centre at (x, y). */
export interface Placement {
  /** In canvas pixels; the first pixel spans 0 to 1. */
  readonly x: number;
  readonly y: number;
  /** Canvas pixels per image pixel. */
  readonly scale: number;
  /** In radians, clockwise as seen. */
  readonly angle: number;
  readonly mirror: boolean;
}

interface Scalable {
  readonly image: RgbaImage;
  readonly pyramid: Pyramid;
}

/** Covers the whole canvas with an opaque image; labels become 0. */
export function cover(canvas: Canvas, image: Scalable, placement: Placement): void {
  canvas.labels.fill(0);
  eachPixel(canvas, image, placement, (at, [r, g, b, alpha]) => {
    // The image is transparent beyond its border, and the filter blends that in along the border; this undoes it.
    const whole = 255 / Math.max(alpha, 1);
    canvas.rgb.set([r * whole, g * whole, b * whole], at * 3);
  });
}

/** Pastes a cut-out onto the canvas; pixels whose alpha exceeds `threshold` get its label. */
export function paste(
  canvas: Canvas,
  image: Scalable & { readonly label: number },
  placement: Placement,
  threshold: number,
): void {
  eachPixel(canvas, image, placement, (at, [r, g, b, alpha]) => {
    if (alpha === 0) return;
    const rest = 1 - alpha / 255;
    for (const [c, value] of [r, g, b].entries()) canvas.rgb[at * 3 + c] = value + rest * canvas.rgb[at * 3 + c]!;
    if (alpha > threshold) canvas.labels[at] = image.label;
  });
}

type Texel = Float32Array & readonly [number, number, number, number];

/** Calls `use` with the image's value (colour times alpha, alpha) at every canvas pixel that it may touch. */
function eachPixel(
  { height, width }: Canvas,
  { image, pyramid }: Scalable,
  { x, y, scale, angle, mirror }: Placement,
  use: (at: number, value: Texel) => void,
): void {
  const cos = Math.cos(angle) / scale;
  const sin = Math.sin(angle) / scale;
  const reach = (scale * Math.hypot(image.width, image.height)) / 2 + 1;
  const from = (centre: number): number => Math.max(0, Math.floor(centre - reach));
  const to = (centre: number, size: number): number => Math.min(size, Math.ceil(centre + reach));
  const texel = new Float32Array(4) as Texel;
  for (let row = from(y); row < to(y, height); row++) {
    for (let column = from(x); column < to(x, width); column++) {
      const dx = column + 0.5 - x;
      const dy = row + 0.5 - y;
      const u = (dx * cos + dy * sin) * (mirror ? -1 : 1) + image.width / 2;
      const v = dy * cos - dx * sin + image.height / 2;
      pyramid.sample(u, v, 1 / scale, texel);
      use(row * width + column, texel);
    }
  }
}
