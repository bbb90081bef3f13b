import type { OverlayOptions } from "sharp";
import { loadSharp } from "../../encoding/sharp.js";
import { type Colour, cssColour } from "../../labels/colours.js";
import { drawText, textWidth } from "./lettering.js";

/** One picture of the grid: interleaved RGB rows. */
export interface PanelCell {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Photographs are enlarged smoothly, label maps pixel by pixel. */
  readonly smooth: boolean;
}

export interface PanelColumn {
  readonly title: string;
  readonly subtitle?: string;
}

export interface PanelGrid {
  readonly title: string;
  readonly columns: readonly PanelColumn[];
  readonly rows: readonly { readonly title: string; readonly cells: readonly PanelCell[] }[];
  readonly legend: readonly { readonly name: string; readonly colour: Colour }[];
}

/** Side of a cell, in pixels. */
export const CELL = 232;
const GAP = 10;
const MARGIN = 24;
const HEADER = 104;
const ROW_TITLE = 26;
const FOOTER = 50;
const FIT = { fit: "contain", background: "#ffffff" } as const;
const LEGEND_LINE = 24;
const INK = "#1d2733";
const SOFT = "#5d6b7a";

/** Draws the grid with column titles, row titles and a legend, and answers a PNG file. Runs in Node only. */
export async function renderPanels(grid: PanelGrid): Promise<Uint8Array> {
  const sharp = await loadSharp("renderPanels");
  const width = 2 * MARGIN + grid.columns.length * (CELL + GAP) - GAP;
  const legend = placeLegend(grid, width);
  const lines = legend.at(-1)?.line ?? 0;
  const height = HEADER + grid.rows.length * (CELL + ROW_TITLE + GAP) + FOOTER + lines * LEGEND_LINE;
  const overlays: OverlayOptions[] = [];
  for (const [r, row] of grid.rows.entries()) {
    for (const [c, cell] of row.cells.entries()) {
      const kernel = cell.smooth ? "cubic" : "nearest";
      const raw = { width: cell.width, height: cell.height, channels: 3 as const };
      const input = await sharp(cell.rgb, { raw })
        .resize(CELL, CELL, { kernel, ...FIT })
        .png()
        .toBuffer();
      overlays.push({ input, left: columnLeft(c), top: rowTop(r) + ROW_TITLE });
    }
  }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${texts(grid, legend, height - lines * LEGEND_LINE)}</svg>`;
  const base = sharp({ create: { width, height, channels: 3, background: "#ffffff" } });
  const picture = base.composite([...overlays, { input: Buffer.from(svg), left: 0, top: 0 }]);
  return new Uint8Array(await picture.png({ compressionLevel: 9 }).toBuffer());
}

function columnLeft(column: number): number {
  return MARGIN + column * (CELL + GAP);
}

function rowTop(row: number): number {
  return HEADER + row * (CELL + ROW_TITLE + GAP);
}

interface LegendPlace {
  readonly name: string;
  readonly colour: Colour;
  readonly x: number;
  readonly line: number;
}

/** The legend in as many lines as it needs. */
function placeLegend(grid: PanelGrid, width: number): LegendPlace[] {
  let x = MARGIN;
  let line = 0;
  return grid.legend.map(({ name, colour }) => {
    const length = 24 + textWidth(name, 14);
    if (x > MARGIN && x + length > width - MARGIN) [x, line] = [MARGIN, line + 1];
    const place = { name, colour, x, line };
    x += length + 26;
    return place;
  });
}

/** @param bottom where the picture would end with a legend of one line */
function texts(grid: PanelGrid, legend: readonly LegendPlace[], bottom: number): string {
  const parts = [drawText(grid.title, { x: MARGIN, y: 38, size: 20, colour: INK, bold: true })];
  grid.columns.forEach(({ title, subtitle }, c) => {
    const x = columnLeft(c);
    parts.push(drawText(title, { x, y: 74, size: 16, colour: INK, bold: true }));
    if (subtitle) parts.push(drawText(subtitle, { x, y: 95, size: 13, colour: SOFT }));
  });
  grid.rows.forEach((row, r) => {
    parts.push(drawText(row.title, { x: MARGIN, y: rowTop(r) + ROW_TITLE - 7, size: 13, colour: SOFT }));
  });
  for (const { name, colour, x, line } of legend) {
    const y = bottom - 32 + line * LEGEND_LINE;
    parts.push(
      `<rect x="${x}" y="${y}" width="16" height="16" rx="3" fill="${cssColour(colour)}"/>`,
      drawText(name, { x: x + 24, y: y + 13, size: 14, colour: INK }),
    );
  }
  return parts.join("");
}
