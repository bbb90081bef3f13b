import { colorize, vocPalette } from "./palette.js";
import { VOID_LABEL } from "./sample.js";

/** Red, green, blue, each 0 to 255. */
export type Colour = readonly [number, number, number];

/** The colour of void in PASCAL VOC's colour map. */
export const VOID_COLOUR: Colour = [224, 224, 192];

/**
 * The colours of labels 0 to 255 as consecutive RGB triples: {@link VOID_COLOUR} for void, and black for labels without
 * a colour.
 */
export function paletteTable(colours: readonly Colour[]): Uint8Array {
  const palette = new Uint8Array((VOID_LABEL + 1) * 3);
  colours.forEach((colour, label) => {
    palette.set(colour, label * 3);
  });
  palette.set(VOID_COLOUR, VOID_LABEL * 3);
  return palette;
}

/** Paints labels in the colours of their classes, and void in {@link VOID_COLOUR}, as interleaved RGB. */
export function paintLabels(labels: ArrayLike<number>, colours: readonly Colour[]): Uint8Array {
  return colorize(labels, paletteTable(colours));
}

/** PASCAL VOC's colours for labels 0 to `count` - 1. */
export function vocColours(count = VOID_LABEL): Colour[] {
  const table = vocPalette();
  return Array.from({ length: count }, (_, i) => [table[3 * i]!, table[3 * i + 1]!, table[3 * i + 2]!]);
}

export function cssColour([r, g, b]: Colour): string {
  return `rgb(${r},${g},${b})`;
}
