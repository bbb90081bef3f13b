import type { Pyramid, RgbaImage } from "./raster.js";

/** An image in the making: interleaved RGB values 0 to 255 and one label a pixel. */
export interface Canvas {
  readonly height: number;
  readonly width: number;
  readonly rgb: Float32Array;
  readonly labels: Uint8Array;
}

/** Where an image comes to lie on a canvas: mirrored first, then scaled, then turned, its middle at (x, y). */
export interface Placement {
  /** Canvas pixels; the first pixel reaches from 0 to 1. */
  readonly x: number;
  readonly y: number;
  /** Canvas pixels a pixel of the image. */
  readonly scale: number;
  /** Radians, clockwise as the image is seen. */
  readonly angle: number;
  readonly mirror: boolean;
}

interface Scalable {
  readonly image: RgbaImage;
  readonly pyramid: Pyramid;
}

/** Lays an opaque image over the whole canvas; labels become 0. */
export function cover(canvas: Canvas, image: Scalable, placement: Placement): void {
  canvas.labels.fill(0);
  eachPixel(canvas, image, placement, (at, [r, g, b, alpha]) => {
    // Beyond its border an image is transparent; on it the filter sees both.
    const whole = 255 / Math.max(alpha, 1);
    canvas.rgb.set([r * whole, g * whole, b * whole], at * 3);
  });
}

/** Lays a cut-out over the canvas; pixels whose alpha is above `threshold` get its label. */
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

/** Calls `use` with the image's value (colour times alpha, alpha) at every canvas pixel that it can reach. */
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
