import { boundaryBand } from "../data/boundary.js";
import { EARTH_CLASSES } from "../data/earth/labels.js";
import { type SegmentationSample, VOID_LABEL } from "../data/sample.js";
import { paintLabels, VOID_COLOUR } from "../report/colours.js";
import { type PanelCell, type PanelColumn, type PanelGrid, renderPanels } from "../report/panels.js";
import { COAST_BAND, DEMO_COLOURS } from "./options.js";
import { percent } from "./table.js";

const LEGEND = [
  ...EARTH_CLASSES.map((name, label) => ({ name, colour: DEMO_COLOURS[label] ?? VOID_COLOUR })),
  { name: "void (not counted)", colour: VOID_COLOUR },
];

/** The `count` tiles with the most pixels near a coast, longest coast first. */
export function coastTiles(samples: readonly SegmentationSample[], count: number): SegmentationSample[] {
  const lengths = new Map(samples.map((sample) => [sample, coastPixels(sample)]));
  return [...samples].sort((a, b) => (lengths.get(b) ?? 0) - (lengths.get(a) ?? 0)).slice(0, count);
}

function coastPixels({ image, labels }: SegmentationSample): number {
  return boundaryBand(labels, { ...image, ...COAST_BAND }).reduce((n, label) => n + (label === VOID_LABEL ? 0 : 1), 0);
}

/** One net's answers on the tiles of the picture. */
export interface StagePictures {
  readonly title: string;
  readonly coastAccuracy: number;
  readonly predictions: readonly Uint8Array[];
}

/** Image, truth and the answer of each net, side by side, one row a tile. */
export async function comparisonPanels(
  tiles: readonly SegmentationSample[],
  stages: readonly StagePictures[],
): Promise<Uint8Array> {
  const nets = stages.map(({ title, coastAccuracy }) => ({
    title,
    subtitle: `coast accuracy ${percent(coastAccuracy)}%`,
  }));
  return grid(
    "Held-back tiles of the Blue Marble",
    [{ title: "Image" }, { title: "Truth" }, ...nets],
    tiles.map((tile, i) => ({ tile, predictions: stages.map((stage) => stage.predictions[i] as Uint8Array) })),
  );
}

/** One tile, its truth and the answer of the net that was read back from its file. */
export async function reloadedPanel(
  tile: SegmentationSample,
  prediction: Uint8Array,
  file: string,
): Promise<Uint8Array> {
  const columns = [{ title: "Image" }, { title: "Truth" }, { title: "Prediction" }];
  return grid(`Predicted from ${file}`, columns, [{ tile, predictions: [prediction] }]);
}

function grid(
  title: string,
  columns: readonly PanelColumn[],
  rows: readonly { tile: SegmentationSample; predictions: readonly Uint8Array[] }[],
): Promise<Uint8Array> {
  const panels: PanelGrid = {
    title,
    columns,
    rows: rows.map(({ tile, predictions }) => ({
      title: tile.name,
      cells: [photo(tile), ...[tile.labels, ...predictions].map((labels) => labelCell(labels, tile))],
    })),
    legend: LEGEND,
  };
  return renderPanels(panels);
}

function photo({ image }: SegmentationSample): PanelCell {
  return { rgb: Uint8Array.from(image.data), width: image.width, height: image.height, smooth: true };
}

function labelCell(labels: Uint8Array, { image }: SegmentationSample): PanelCell {
  return { rgb: paintLabels(labels, DEMO_COLOURS), width: image.width, height: image.height, smooth: false };
}
