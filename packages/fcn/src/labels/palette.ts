import type { TensorError } from "@fcn/tensor";
import { invalidArgument, invalidShape } from "@fcn/tensor/internal";
import { type Colour, paletteTable, vocPalette } from "./colours.js";
import { type Labels, labelValues } from "./labels.js";

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

/** Paints labels in the colours of their classes, and void in its own, as interleaved RGB. */
export function paintLabels(labels: ArrayLike<number>, colours: readonly Colour[]): Uint8Array {
  return colorize(labels, paletteTable(colours));
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
    throw invalidShape(
      `overlay: the image has ${image.length} values for ${values.length} labels, but must have 3 a label`,
      "pass RGB triples (no alpha) of the same height and width as the labels",
    );
  }
  const colors = colorize(values, palette);
  return Uint8Array.from(image, (value, i) => {
    const share = values[Math.floor(i / 3)] === 0 ? 0 : alpha;
    return Math.round(value * (1 - share) + (colors[i] ?? 0) * share);
  });
}
