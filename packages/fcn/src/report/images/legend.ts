import { loadSharp } from "../../encoding/sharp.js";
import { type Colour, cssColour } from "../../labels/colours.js";
import { typeset } from "./lettering.js";

export interface LegendEntry {
  readonly name: string;
  readonly colour: Colour;
}

export const LEGEND_MARGIN = 10;
const LINE = 24;
const BOX = 16;
const GAP = 20;
const STYLE = { size: 14, colour: "#1d2733" };

interface Legend {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

/** Draws a legend in as many lines as `width` requires; a wider single entry widens it (Node). */
export async function drawLegend(entries: readonly LegendEntry[], width: number): Promise<Legend> {
  const names = await Promise.all(entries.map(({ name }) => typeset(name, STYLE)));
  const whole = Math.max(width, ...names.map((name) => BOX + 8 + name.width + 2 * LEGEND_MARGIN));
  let [x, y] = [LEGEND_MARGIN, LEGEND_MARGIN];
  const parts = names.map((name, i) => {
    const length = BOX + 8 + name.width;
    if (x > LEGEND_MARGIN && x + length > whole - LEGEND_MARGIN) [x, y] = [LEGEND_MARGIN, y + LINE];
    const fill = cssColour((entries[i] as LegendEntry).colour);
    const box = `<rect x="${x}" y="${y}" width="${BOX}" height="${BOX}" rx="3" fill="${fill}"/>`;
    const text = name.at(x + BOX + 8, y + BOX - 3);
    x += length + GAP;
    return box + text;
  });
  const height = y + LINE;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${whole}" height="${height}">${parts.join("")}</svg>`;
  return { svg, width: whole, height };
}

/** Renders an RGBA image with a legend below it as a PNG file (Node), in sharp's own threads. */
export async function renderWithLegend(
  { rgba, height, width }: { readonly rgba: Uint8ClampedArray; readonly height: number; readonly width: number },
  entries: readonly LegendEntry[],
): Promise<Uint8Array> {
  const sharp = await loadSharp("renderWithLegend");
  const legend = await drawLegend(entries, width);
  const bytes = new Uint8Array(rgba.buffer, rgba.byteOffset, rgba.length);
  return sharp(bytes, { raw: { width, height, channels: 4 } })
    .removeAlpha()
    .extend({ bottom: legend.height, right: legend.width - width, background: "#ffffff" })
    .composite([{ input: Buffer.from(legend.svg), left: 0, top: height }])
    .png()
    .toBuffer();
}
