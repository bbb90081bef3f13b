import { boundaryBand } from "../data/samples/boundary.js";
import { type SegmentationSample, VOID_LABEL } from "../labels/sample.js";
import { renderLabelGrid } from "../report/images/labelGrid.js";
import { percent } from "../report/table.js";
import { EARTH_CLASSES } from "./earth/labels.js";
import { COAST, DEMO_COLOURS } from "./recipe.js";

const LOOK = { classes: EARTH_CLASSES, colours: DEMO_COLOURS };

/** The `count` tiles with the most pixels near a coast, longest coast first. */
export function coastTiles(samples: readonly SegmentationSample[], count: number): SegmentationSample[] {
  const lengths = new Map(samples.map((sample) => [sample, coastPixels(sample)]));
  return [...samples].sort((a, b) => (lengths.get(b) ?? 0) - (lengths.get(a) ?? 0)).slice(0, count);
}

function coastPixels({ image, labels }: SegmentationSample): number {
  return boundaryBand(labels, { ...image, radius: COAST.radii[0], side: COAST.side }).reduce(
    (n, label) => n + (label === VOID_LABEL ? 0 : 1),
    0,
  );
}

/** One net's predictions on the tiles of the comparison. */
export interface StageImages {
  readonly title: string;
  readonly coastAccuracy: number;
  readonly predictions: readonly Uint8Array[];
}

/** The image, the truth and each net's prediction side by side, one row per tile. */
export function comparisonPanels(
  tiles: readonly SegmentationSample[],
  stages: readonly StageImages[],
): Promise<Uint8Array> {
  const columns = stages.map(({ title, coastAccuracy }) => ({
    title,
    subtitle: `coast accuracy ${percent(coastAccuracy)}%`,
  }));
  const rows = tiles.map((sample, i) => ({
    sample,
    predictions: stages.map((stage) => stage.predictions[i] as Uint8Array),
  }));
  return renderLabelGrid({ ...LOOK, title: "Held-back tiles of the Blue Marble", columns, rows });
}

/** One tile, its truth and the prediction of the net that was read back from its file. */
export function reloadedPanel(tile: SegmentationSample, prediction: Uint8Array, file: string): Promise<Uint8Array> {
  const rows = [{ sample: tile, predictions: [prediction] }];
  return renderLabelGrid({ ...LOOK, title: `Predicted from ${file}`, columns: [{ title: "Prediction" }], rows });
}
