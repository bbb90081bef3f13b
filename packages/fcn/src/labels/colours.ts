import { VOID_LABEL } from "./sample.js";

/** Red, green, blue, each 0 to 255. */
export type Colour = readonly [number, number, number];

/** The colour of void in PASCAL VOC's colour map. */
export const VOID_COLOUR: Colour = [224, 224, 192];

/**
 * The colours of labels 0 to 255 as consecutive RGB triples: {@link VOID_COLOUR} for void, and black for labels without
 * a colour.
 */
export function paletteTable(colours: readonly Colour[]): Uint8Array<ArrayBuffer> {
  const palette = new Uint8Array((VOID_LABEL + 1) * 3);
  colours.forEach((colour, label) => {
    palette.set(colour, label * 3);
  });
  palette.set(VOID_COLOUR, VOID_LABEL * 3);
  return palette;
}

/**
 * PASCAL VOC's colour of a label: its low three bits become bit 7 of red, green and blue, the next three become bit 6,
 * and so on.
 */
function vocColour(label: number): Colour {
  const channel = (first: number): number =>
    [0, 1, 2].reduce((sum, i) => sum | (((label >> (3 * i + first)) & 1) << (7 - i)), 0);
  return [channel(0), channel(1), channel(2)];
}

/** PASCAL VOC's colours for labels 0 to `count` - 1. */
export const vocColours = (count = VOID_LABEL): Colour[] => Array.from({ length: count }, (_, i) => vocColour(i));

/** PASCAL VOC's colours for labels 0..255, as 256 consecutive RGB triples. The void label 255 is (224, 224, 192). */
export const vocPalette = (): Uint8Array<ArrayBuffer> => paletteTable(vocColours());

export function cssColour([r, g, b]: Colour): string {
  return `rgb(${r},${g},${b})`;
}
