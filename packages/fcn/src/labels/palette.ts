import { TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { type Labels, labelValues } from "./labels.js";

/**
 * PASCAL VOC's colours for labels 0..255, as 256 consecutive RGB triples. The low three bits of a label become bit 7 of
 * red, green and blue, the next three become bit 6, and so on. The void label 255 is (224, 224, 192).
 */
export function vocPalette(): Uint8Array<ArrayBuffer> {
  const palette = new Uint8Array(256 * 3);
  for (let label = 0; label < 256; label++) palette.set(vocColor(label), label * 3);
  return palette;
}

function vocColor(label: number): [number, number, number] {
  const color: [number, number, number] = [0, 0, 0];
  for (let bit = 7, rest = label; rest > 0; bit--, rest >>= 3) {
    color[0] |= (rest & 1) << bit;
    color[1] |= ((rest >> 1) & 1) << bit;
    color[2] |= ((rest >> 2) & 1) << bit;
  }
  return color;
}

/**
 * Colours a label map: returns an RGB triple (0..255) for each label, in the order of `labels`. `palette` holds
 * consecutive RGB triples by label. Throws `invalid-argument` for a label without a colour.
 */
export function colorize(labels: Labels, palette: Uint8Array = vocPalette()): Uint8Array<ArrayBuffer> {
  const values = labelValues(labels, "colorize");
  const colors = Math.floor(palette.length / 3);
  const rgb = new Uint8Array(values.length * 3);
  for (let i = 0; i < values.length; i++) {
    const label = values[i] ?? 0;
    if (!Number.isInteger(label) || label < 0 || label >= colors) throw noColor(label, i, colors);
    rgb[3 * i] = palette[3 * label] ?? 0;
    rgb[3 * i + 1] = palette[3 * label + 1] ?? 0;
    rgb[3 * i + 2] = palette[3 * label + 2] ?? 0;
  }
  return rgb;
}

function noColor(label: number, at: number, colors: number): TensorError {
  return invalidArgument(
    `colorize: label ${label} at position ${at} has no colour: the palette has ${colors} colours, for the labels 0 to ${colors - 1}`,
    "pass a palette with a colour for every label",
  );
}

/**
 * Blends the colours of the labels over an image (RGB triples 0..255, one for each label) wherever the label is not 0,
 * like `vis_seg` of the reference implementation. `alpha` 0..1 is the share of the colour. Returns RGB triples. Throws
 * `invalid-shape` if the image does not fit the labels, and whatever {@link colorize} throws.
 */
export function overlay(
  image: ArrayLike<number>,
  labels: Labels,
  { alpha = 0.5, palette }: { alpha?: number; palette?: Uint8Array } = {},
): Uint8Array<ArrayBuffer> {
  const values = labelValues(labels, "overlay");
  if (image.length !== values.length * 3) {
    throw new TensorError({
      code: "invalid-shape",
      message: `overlay: the image has ${image.length} values for ${values.length} labels, but must have 3 a label`,
      fix: "pass RGB triples (no alpha) of the same height and width as the labels",
    });
  }
  const colors = colorize(values, palette);
  return Uint8Array.from(image, (value, i) => {
    const share = values[Math.floor(i / 3)] === 0 ? 0 : alpha;
    return Math.round(value * (1 - share) + (colors[i] ?? 0) * share);
  });
}
