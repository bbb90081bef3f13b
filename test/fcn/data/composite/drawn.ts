import type { data } from "@fcn/core";

type Rgb = readonly [number, number, number];
type Alpha = (x: number, y: number) => number;

/** An image of one colour whose alpha (0 to 255) is a function of the pixel. */
export function rgba(width: number, height: number, colour: Rgb, alpha: Alpha = () => 255): data.RgbaImage {
  const pixels = Array.from({ length: width * height }, (_, i) => [...colour, alpha(i % width, Math.floor(i / width))]);
  return { data: Uint8Array.from(pixels.flat()), height, width };
}

/** A disc whose alpha falls from 255 to 0 over `soft` pixels around its edge. */
export function disc(side: number, soft: number): Alpha {
  const middle = (side - 1) / 2;
  return (x, y) => {
    const inside = side / 2 - soft / 2 - Math.hypot(x - middle, y - middle);
    return Math.round(255 * Math.min(1, Math.max(0, 0.5 + inside / Math.max(soft, 1e-9))));
  };
}

/** `each` discs a class, every one in a colour of its own, and as many grey backgrounds. */
export function drawnSource(classes: number, each: number, soft = 2): data.CompositeSource {
  const names = Array.from({ length: classes }, (_, i) => `class ${i + 1}`);
  return {
    classes: ["background", ...names],
    cutouts: names.flatMap((name, c) =>
      Array.from({ length: each }, (_, i) => ({
        name: `${name}, ${i}`,
        label: c + 1,
        image: rgba(24, 24, [255 - 4 * i, 30 + 40 * c, 200], disc(24, soft)),
      })),
    ),
    backgrounds: Array.from({ length: each }, (_, i) => ({
      name: `grey ${i}`,
      image: rgba(60 + i, 50, [10 + i, 10 + i, 10 + i]),
    })),
  };
}
