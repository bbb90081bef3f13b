import { colorize, vocPalette } from "./palette.js";
import { VOID_LABEL } from "./sample.js";

/** Red, green, blue, each 0 to 255. */
export type Colour = readonly [number, number, number];

/** Void as in the VOC colour map. */
export const VOID_COLOUR: Colour = [224, 224, 192];

/**
 * The colours of the labels 0 to 255, RGB triples in a row; {@link VOID_COLOUR} for void, black for labels without a
 * colour.
 */
export function paletteTable(colours: readonly Colour[]): Uint8Array {
  const palette = new Uint8Array((VOID_LABEL + 1) * 3);
  colours.forEach((colour, label) => {
    palette.set(colour, label * 3);
  });
  palette.set(VOID_COLOUR, VOID_LABEL * 3);
  return palette;
}

/** Labels painted with one colour a class and {@link VOID_COLOUR} for void, as interleaved RGB. */
export function paintLabels(labels: ArrayLike<number>, colours: readonly Colour[]): Uint8Array {
  return colorize(labels, paletteTable(colours));
}

/** The colours of PASCAL VOC of the labels 0 to `count` - 1. */
export function vocColours(count = VOID_LABEL): Colour[] {
  const table = vocPalette();
  return Array.from({ length: count }, (_, i) => [table[3 * i]!, table[3 * i + 1]!, table[3 * i + 2]!]);
}

/** A colour in CSS notation. */
export function cssColour([r, g, b]: Colour): string {
  return `rgb(${r},${g},${b})`;
}
