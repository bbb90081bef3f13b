import type { OverlayOptions } from "sharp";
import { loadSharp } from "../../encoding/sharp.js";
import { drawLegend, LEGEND_MARGIN, type LegendEntry } from "./legend.js";
import { type TextStyle, typeset } from "./lettering.js";

/** One image of the grid, as interleaved RGB rows. */
export interface PanelCell {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** True to enlarge smoothly, as for photographs; false to enlarge pixel by pixel, as for label maps. */
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
  readonly legend: readonly LegendEntry[];
}

/** Side of a cell, in pixels. */
export const CELL = 232;
const GAP = 10;
const MARGIN = 24;
const HEADER = 104;
const ROW_TITLE = 26;
const FIT = { fit: "contain", background: "#ffffff" } as const;
const LEGEND_GAP = 8;
/** The legend has a margin of its own. */
const LEGEND_INSET = MARGIN - LEGEND_MARGIN;
const INK = "#1d2733";
const SOFT = "#5d6b7a";

/** Draws the grid with column titles, row titles and a legend, and returns a PNG file (Node). */
export async function renderPanels(grid: PanelGrid): Promise<Uint8Array> {
  const sharp = await loadSharp("renderPanels");
  const width = 2 * MARGIN + grid.columns.length * (CELL + GAP) - GAP;
  const legend = await drawLegend(grid.legend, width - 2 * LEGEND_INSET);
  const height = rowTop(grid.rows.length) + legend.height + 2 * LEGEND_GAP;
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
  const names = `<g transform="translate(${LEGEND_INSET} ${height - legend.height - LEGEND_GAP})">${legend.svg}</g>`;
  const titles = (await drawTitles(grid)).join("");
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${titles}${names}</svg>`;
  const base = sharp({ create: { width, height, channels: 3, background: "#ffffff" } });
  const image = base.composite([...overlays, { input: Buffer.from(svg), left: 0, top: 0 }]);
  return new Uint8Array(await image.png({ compressionLevel: 9 }).toBuffer());
}

function columnLeft(column: number): number {
  return MARGIN + column * (CELL + GAP);
}

function rowTop(row: number): number {
  return HEADER + row * (CELL + ROW_TITLE + GAP);
}

/** The titles of the grid, its columns and its rows, as SVG. */
function drawTitles({ title, columns, rows }: PanelGrid): Promise<string[]> {
  const draw = async (text: string, x: number, y: number, style: TextStyle) => (await typeset(text, style)).at(x, y);
  return Promise.all([
    draw(title, MARGIN, 38, { size: 20, colour: INK, bold: true }),
    ...columns.map((column, c) => draw(column.title, columnLeft(c), 74, { size: 16, colour: INK, bold: true })),
    ...columns.map(({ subtitle = "" }, c) => draw(subtitle, columnLeft(c), 95, { size: 13, colour: SOFT })),
    ...rows.map((row, r) => draw(row.title, MARGIN, rowTop(r) + ROW_TITLE - 7, { size: 13, colour: SOFT })),
  ]);
}
