import { type Colour, VOID_COLOUR } from "../../labels/colours.js";
import type { SegmentationSample } from "../../labels/sample.js";
import { labelCell, overlayCell, photoCell } from "./cells.js";
import { type PanelCell, type PanelColumn, renderPanels } from "./panels.js";

/** Names and colours of the classes, by label. */
export interface ClassColours {
  readonly classes: readonly string[];
  readonly colours: readonly Colour[];
}

export interface LabelRow {
  /** Default: the name of the sample. */
  readonly title?: string;
  readonly sample: SegmentationSample;
  readonly predictions: readonly Uint8Array[];
}

export interface LabelGrid extends ClassColours {
  readonly title: string;
  /** Titles of the columns after the image and the truth, one for each prediction. */
  readonly columns: readonly PanelColumn[];
  /** Consumed one at a time; what is kept of each does not grow with its image. */
  readonly rows: Iterable<LabelRow> | AsyncIterable<LabelRow>;
  /** Adds a column with the last prediction over the image. Default false. */
  readonly overlay?: boolean;
}

/** Renders images, truth and predictions side by side as a PNG file, a row per sample. Images may have any size. */
export async function renderLabelGrid(grid: LabelGrid): Promise<Uint8Array> {
  const { title, columns, classes, colours, overlay = false } = grid;
  const rows: { readonly title: string; readonly cells: PanelCell[] }[] = [];
  for await (const row of grid.rows) {
    rows.push({ title: row.title ?? row.sample.name, cells: cellsOf(row, colours, overlay) });
  }
  const legend = classes.map((name, label) => ({ name, colour: colours[label] ?? VOID_COLOUR }));
  return renderPanels({
    title,
    columns: [{ title: "Image" }, { title: "Truth" }, ...columns, ...(overlay ? [{ title: "Overlay" }] : [])],
    rows,
    legend: [...legend, { name: "void (not counted)", colour: VOID_COLOUR }],
  });
}

function cellsOf({ sample, predictions }: LabelRow, colours: readonly Colour[], overlay: boolean): PanelCell[] {
  const { image, labels } = sample;
  const last = predictions.at(-1);
  return [
    photoCell(image),
    ...[labels, ...predictions].map((map) => labelCell(map, image, colours)),
    ...(overlay && last ? [overlayCell(image, last, colours)] : []),
  ];
}
