import { type Colour, VOID_COLOUR, vocColours } from "../../labels/colours.js";
import { colourKey } from "../decode/rule.js";

/** The void colour of PASCAL VOC masks, 0xRRGGBB. */
export const VOC_VOID = colourKey(...VOID_COLOUR);

/** {@link vocColours} as 0xRRGGBB. */
export function vocKeys(count: number): number[] {
  return vocColours(count).map((colour) => colourKey(...colour));
}

export function colourOf(key: number): Colour {
  return [key >> 16, (key >> 8) & 0xff, key & 0xff];
}
