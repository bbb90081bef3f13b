import { loadSharp } from "../../encoding/sharp.js";
import { type Colour, cssColour } from "../../labels/colours.js";
import { drawText, textWidth } from "./lettering.js";

export interface LegendEntry {
  readonly name: string;
  readonly colour: Colour;
}

const MARGIN = 10;
const LINE = 24;
const BOX = 14;
const GAP = 20;
const SIZE = 13;

interface Legend {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

/** A legend in as many lines as it needs within `width`; wider where one entry is. */
export function drawLegend(entries: readonly LegendEntry[], width: number): Legend {
  const lengthOf = (name: string): number => BOX + 8 + textWidth(name, SIZE);
  const whole = Math.ceil(Math.max(width, ...entries.map(({ name }) => lengthOf(name) + 2 * MARGIN)));
  let [x, y] = [MARGIN, MARGIN];
  const parts = entries.map(({ name, colour }) => {
    const length = lengthOf(name);
    if (x > MARGIN && x + length > whole - MARGIN) [x, y] = [MARGIN, y + LINE];
    const box = `<rect x="${x}" y="${y}" width="${BOX}" height="${BOX}" rx="3" fill="${cssColour(colour)}"/>`;
    const text = drawText(name, { x: x + BOX + 8, y: y + BOX - 2, size: SIZE, colour: "#1d2733" });
    x += length + GAP;
    return box + text;
  });
  const height = y + LINE;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${whole}" height="${height}">${parts.join("")}</svg>`;
  return { svg, width: whole, height };
}

/** A picture (RGBA) with a legend below it, as a PNG file. Runs in Node only, in sharp's own threads. */
export async function renderWithLegend(
  { rgba, height, width }: { readonly rgba: Uint8ClampedArray; readonly height: number; readonly width: number },
  entries: readonly LegendEntry[],
): Promise<Uint8Array> {
  const sharp = await loadSharp("renderWithLegend");
  const legend = drawLegend(entries, width);
  const bytes = new Uint8Array(rgba.buffer, rgba.byteOffset, rgba.length);
  return sharp(bytes, { raw: { width, height, channels: 4 } })
    .removeAlpha()
    .extend({ bottom: legend.height, right: legend.width - width, background: "#ffffff" })
    .composite([{ input: Buffer.from(legend.svg), left: 0, top: height }])
    .png()
    .toBuffer();
}
