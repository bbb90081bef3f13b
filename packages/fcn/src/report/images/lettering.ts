import { GLYPHS, type Glyph, MARKS, STAND_INS } from "./glyphs.js";

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
 * pictures must carry their titles there too. Latin letters have their marks or stand-ins; any other character without a stroke form is drawn as a box.
 */
export function drawText(text: string, { x, y, size, colour, bold }: TextStyle): string {
  const scale = size / UNITS_PER_SIZE;
  let at = 0;
  const letters = lettersOf(text).map((letter) => {
    const strokes = drawLetter(letter, at);
    at += letter.glyph[0] + LETTER_GAP;
    return strokes;
  });
  const pen = bold ? 1.15 : 0.8;
  return `<g transform="translate(${x} ${y}) scale(${scale.toFixed(4)})" fill="none" stroke="${colour}" stroke-width="${pen}" stroke-linecap="round" stroke-linejoin="round">${letters.join("")}</g>`;
}

/** How wide {@link drawText} draws the text, in pixels. */
export function textWidth(text: string, size: number): number {
  const units = lettersOf(text).reduce((sum, { glyph: [width] }) => sum + width + LETTER_GAP, 0);
  return (units * size) / UNITS_PER_SIZE;
}

const TALL = /[A-Zbdfhklt]/;
/** How much higher a mark stands over a tall letter. */
const RAISED = 2.1;

/** A letter with its marks. */
interface Letter {
  readonly character: string;
  readonly glyph: Glyph;
  readonly marks: readonly string[];
}

function lettersOf(text: string): Letter[] {
  const letters: Letter[] = [];
  const plain = [...text].map((character) => STAND_INS[character] ?? character).join("");
  for (const character of plain.normalize("NFD")) {
    const before = letters.at(-1);
    if (Object.hasOwn(MARKS, character) && before !== undefined) {
      // A mark takes the place of the dot.
      const glyph = before.character === "i" ? (GLYPHS.ı as Glyph) : before.glyph;
      letters[letters.length - 1] = { ...before, glyph, marks: [...before.marks, character] };
    } else
      letters.push({
        character,
        glyph: Object.hasOwn(GLYPHS, character) ? (GLYPHS[character] as Glyph) : BOX,
        marks: [],
      });
  }
  return letters;
}

function drawLetter({ character, glyph: [width, path], marks }: Letter, at: number): string {
  const pen = (x: number, y: number, strokes: string): string =>
    strokes === "" ? "" : `<path transform="translate(${x.toFixed(2)} ${y})" d="${strokes}"/>`;
  const over = marks.map((mark) => {
    const raised = TALL.test(character) && !isBelow(mark);
    return pen(at + width / 2, raised ? -RAISED : 0, MARKS[mark] as string);
  });
  return pen(at, 0, path) + over.join("");
}

/** A cedilla and an ogonek. */
const isBelow = (mark: string): boolean => mark === "\u0327" || mark === "\u0328";
