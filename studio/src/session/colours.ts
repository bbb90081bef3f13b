type Colour = readonly [number, number, number];

/**
 * Colours that people with any kind of colour blindness can tell apart (Okabe and Ito, "Color Universal Design", 2008),
 * without black.
 */
const OKABE_ITO: readonly Colour[] = [
  [0, 114, 178],
  [230, 159, 0],
  [0, 158, 115],
  [204, 121, 167],
  [240, 228, 66],
  [86, 180, 233],
  [213, 94, 0],
];

/** The colour of void in masks; no class may have it. */
const VOID_COLOUR: Colour = [224, 224, 192];

/** The share of a full turn between hues that never come near each other again. */
const GOLDEN = (3 - Math.sqrt(5)) / 2;

export const isSameColour = (a: Colour, b: Colour): boolean => a.every((value, i) => value === b[i]);

/** Whether masks can show a class in this colour. */
export const isClassColour = (colour: Colour): boolean =>
  colour.length === 3 &&
  colour.every((value) => Number.isInteger(value) && value >= 0 && value <= 255) &&
  !isSameColour(colour, VOID_COLOUR);

/**
 * The first colour that is not taken: those of Okabe and Ito, and after them hues far from the last ones, dark and
 * light by turns.
 */
export function freeColour(taken: readonly Colour[]): Colour {
  const isFree = (colour: Colour): boolean => !taken.some((other) => isSameColour(other, colour));
  const first = OKABE_ITO.find(isFree);
  if (first !== undefined) return first;
  for (let n = 0; ; n++) {
    const colour = fromHsl((n * GOLDEN) % 1, 0.55, [0.35, 0.65, 0.5][n % 3] as number);
    if (isFree(colour) && isClassColour(colour)) return colour;
  }
}

/** Hue, saturation and lightness, each 0 to 1, as red, green and blue. */
function fromHsl(hue: number, saturation: number, lightness: number): Colour {
  const channel = (offset: number): number => {
    const k = (offset + hue * 12) % 12;
    const reach = saturation * Math.min(lightness, 1 - lightness);
    return Math.round(255 * (lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}
