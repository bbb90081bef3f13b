import type { RgbaImage } from "./raster.js";

/** Pixels whose alpha exceeds this count as part of the cut-out. */
const OPAQUE = 127;
/** Pixels with alpha up to this are invisible; filters leave such traces around edges. */
const INVISIBLE = 15;
/** At least this share of the visible pixels must be opaque. */
const LEAST_OPAQUE = 0.6;
/** A cut-out with fewer opaque pixels shows nothing at the size at which it is pasted. */
const LEAST_PIXELS = 64;

/** Why an image cannot serve as a cut-out, or undefined if it can. */
export function whyNoCutout(image: RgbaImage): string | undefined {
  let opaque = 0;
  let shown = 0;
  for (let i = 3; i < image.data.length; i += 4) {
    if (image.data[i]! > OPAQUE) opaque++;
    if (image.data[i]! > INVISIBLE) shown++;
  }
  if (opaque === image.data.length / 4) return "it has no transparent part";
  if (opaque < LEAST_PIXELS) return "almost nothing of it is opaque";
  return opaque < LEAST_OPAQUE * shown ? "it is mostly translucent" : undefined;
}

/** The smallest rectangle that contains all visible pixels. */
export function trimmed(image: RgbaImage): RgbaImage {
  const { data, height, width } = image;
  let [top, bottom, left, right] = [height, -1, width, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[(y * width + x) * 4 + 3]! <= INVISIBLE) continue;
      top = Math.min(top, y);
      bottom = y;
      left = Math.min(left, x);
      right = Math.max(right, x);
    }
  }
  const size = { height: bottom - top + 1, width: right - left + 1 };
  const out = new Uint8Array(size.height * size.width * 4);
  for (let y = 0; y < size.height; y++) {
    const from = ((top + y) * width + left) * 4;
    out.set(data.subarray(from, from + size.width * 4), y * size.width * 4);
  }
  return { ...size, data: out };
}
