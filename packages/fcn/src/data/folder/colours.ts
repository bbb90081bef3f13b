import { type Colour, VOID_COLOUR } from "../../labels/colours.js";
import { vocPalette } from "../../labels/palette.js";
import { colourKey } from "../decode/rule.js";

/** The colour of void in the masks of PASCAL VOC, 0xRRGGBB. */
export const VOC_VOID = colourKey(...VOID_COLOUR);

/** The colours of PASCAL VOC of the labels 0 to `count` - 1. */
export function defaultPalette(count: number): Colour[] {
  const table = vocPalette();
  return Array.from({ length: count }, (_, label) => {
    return [table[3 * label] as number, table[3 * label + 1] as number, table[3 * label + 2] as number] as const;
  });
}

/** {@link defaultPalette} as 0xRRGGBB. */
export function vocKeys(count: number): number[] {
  return defaultPalette(count).map((colour) => colourKey(...colour));
}

/** 0xRRGGBB as red, green, blue. */
export function colourOf(key: number): Colour {
  return [key >> 16, (key >> 8) & 0xff, key & 0xff];
}
