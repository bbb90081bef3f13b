import type { data } from "@fcn/core";

/** A striped sample: column x of row y has the class (x >> shift) % classes and a colour that tells the class. */
export function stripes(name: string, size: number, classes: number, shift: number): data.SegmentationSample {
  const labels = new Uint8Array(size * size);
  const pixels = new Uint8Array(size * size * 3);
  for (let i = 0; i < labels.length; i++) {
    const label = ((i % size) >> shift) % classes;
    labels[i] = label;
    pixels.set([40 + 80 * label, 200 - 60 * label, (i * 7) % 50], i * 3);
  }
  return { name, image: { data: pixels, height: size, width: size, channels: 3 }, labels };
}
