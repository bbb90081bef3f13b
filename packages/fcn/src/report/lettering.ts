import { GLYPHS, type Glyph } from "./glyphs.js";

export interface TextStyle {
  /** Left end of the baseline, pixels. */
  readonly x: number;
  readonly y: number;
  /** Height in pixels, as a CSS font size. */
  readonly size: number;
  readonly colour: string;
  readonly bold?: boolean;
}

const UNITS_PER_SIZE = 9.8;
const LETTER_GAP = 1.75;
const BOX: Glyph = [4, "M0 0V-7H4V0Z"];

/**
 * One line of text as SVG strokes. A machine without fonts (a bare container) draws SVG `<text>` as blanks, and the
 * pictures must carry their titles there too. A character without a stroke form is drawn as a box.
 */
export function drawText(text: string, { x, y, size, colour, bold }: TextStyle): string {
  const scale = size / UNITS_PER_SIZE;
  let at = 0;
  const letters = [...text].map((character) => {
    const [width, path] = GLYPHS[character] ?? BOX;
    const letter = path === "" ? "" : `<path transform="translate(${at.toFixed(2)})" d="${path}"/>`;
    at += width + LETTER_GAP;
    return letter;
  });
  const pen = bold ? 1.15 : 0.8;
  return `<g transform="translate(${x} ${y}) scale(${scale.toFixed(4)})" fill="none" stroke="${colour}" stroke-width="${pen}" stroke-linecap="round" stroke-linejoin="round">${letters.join("")}</g>`;
}

/** How wide {@link drawText} draws the text, in pixels. */
export function textWidth(text: string, size: number): number {
  const units = [...text].reduce((sum, character) => sum + (GLYPHS[character] ?? BOX)[0] + LETTER_GAP, 0);
  return (units * size) / UNITS_PER_SIZE;
}
