import { describe, expect, it } from "vitest";
import { freeColour, isClassColour } from "../../../studio/src/session/colours.js";

type Colour = readonly [number, number, number];

/** What people without one kind of cone see of linear RGB (Machado, Oliveira and Fernandes 2009, severity 1). */
const BLINDNESS: Readonly<Record<string, readonly number[]>> = {
  none: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protanopia: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deuteranopia: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritanopia: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};

const linear = (value: number): number => (value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);

/** CIE L*a*b* of a colour as seen with a matrix over linear RGB; white is D65. */
function lab(colour: Colour, matrix: readonly number[]): readonly number[] {
  const rgb = colour.map(linear);
  const seen = [0, 3, 6].map((row) => rgb.reduce((sum, value, i) => sum + value * matrix[row + i]!, 0));
  const [r, g, b] = seen.map((value) => Math.min(1, Math.max(0, value))) as [number, number, number];
  const [x, y, z] = [
    (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
    0.2126 * r + 0.7152 * g + 0.0722 * b,
    (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
  ].map((value) => (value > 216 / 24389 ? Math.cbrt(value) : (value * 24389) / 27 / 116 + 16 / 116)) as [
    number,
    number,
    number,
  ];
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function first(count: number): Colour[] {
  const colours: Colour[] = [];
  while (colours.length < count) colours.push(freeColour(colours));
  return colours;
}

describe("freeColour", () => {
  it("gives seven colours that stay far apart with any kind of colour blindness", () => {
    const colours = first(7);
    for (const [kind, matrix] of Object.entries(BLINDNESS)) {
      const seen = colours.map((colour) => lab(colour, matrix));
      for (let i = 0; i < seen.length; i++) {
        for (let j = 0; j < i; j++) {
          const difference = Math.hypot(...seen[i]!.map((value, k) => value - seen[j]![k]!));
          // One unit is what can just be seen of two patches side by side.
          expect(difference, `${kind}: ${colours[i]} and ${colours[j]}`).toBeGreaterThan(10);
        }
      }
    }
  });

  it("gives 254 different ones, none of them that of void", () => {
    const colours = first(254);
    expect(new Set(colours.map(String)).size).toBe(254);
    expect(colours.every(isClassColour)).toBe(true);
  });

  it("gives the first that is free", () => {
    const [one, two, three] = first(3);
    expect(freeColour([one!, three!])).toEqual(two);
  });
});
