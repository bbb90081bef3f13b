import type { SegmentationSample } from "../data/sample.js";
import { type Colour, paintLabels, VOID_COLOUR } from "../report/colours.js";
import { type PanelCell, type PanelColumn, renderPanels } from "../report/panels.js";

/** Names and colours of the classes, by label. */
export interface ClassColours {
  readonly classes: readonly string[];
  readonly colours: readonly Colour[];
}

export interface LabelGrid extends ClassColours {
  readonly title: string;
  /** Titles of the columns behind image and truth, one a prediction. */
  readonly columns: readonly PanelColumn[];
  readonly rows: readonly { readonly sample: SegmentationSample; readonly predictions: readonly Uint8Array[] }[];
}

/** Image, truth and predictions side by side, one row a sample, as a PNG file. */
export function renderLabelGrid({ title, columns, rows, classes, colours }: LabelGrid): Promise<Uint8Array> {
  const legend = classes.map((name, label) => ({ name, colour: colours[label] ?? VOID_COLOUR }));
  return renderPanels({
    title,
    columns: [{ title: "Image" }, { title: "Truth" }, ...columns],
    rows: rows.map(({ sample, predictions }) => ({
      title: sample.name,
      cells: [photo(sample), ...[sample.labels, ...predictions].map((labels) => labelCell(labels, sample, colours))],
    })),
    legend: [...legend, { name: "void (not counted)", colour: VOID_COLOUR }],
  });
}

function photo({ image }: SegmentationSample): PanelCell {
  return { rgb: Uint8Array.from(image.data), width: image.width, height: image.height, smooth: true };
}

function labelCell(labels: Uint8Array, { image }: SegmentationSample, colours: readonly Colour[]): PanelCell {
  return { rgb: paintLabels(labels, colours), width: image.width, height: image.height, smooth: false };
}
