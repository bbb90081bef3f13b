import { startAhead } from "../../async/pipeline.js";
import { fileError } from "../../data/files/errors.js";
import type { Rectangle } from "../../data/samples/tiles.js";
import { indexedPngPieces } from "../../encoding/indexedPng.js";
import type { Colour } from "../../labels/colours.js";
import { regionsOf, type ScenePlan } from "./plan.js";

/** Pixels of a label map that are given to the encoder at a time. */
const PIECE_PIXELS = 2 ** 20;

/**
 * The label map of a scene as the pieces of a PNG file with a palette, whose pixels are the labels. `labelsOf` gives
 * the labels of a region; it is called for each in the order of `regionsOf`, for the next one while one is under way.
 * At most the labels of one row of regions, and one beyond, are held.
 */
export function joinRegions(
  plan: ScenePlan,
  palette: readonly Colour[],
  labelsOf: (region: Rectangle, index: number) => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { height, width } = plan;
  return indexedPngPieces({ rows: rowsOf(plan, labelsOf), height, width, palette });
}

/** Rows of labels from the top, about {@link PIECE_PIXELS} at a time. */
async function* rowsOf(
  plan: ScenePlan,
  labelsOf: (region: Rectangle, index: number) => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const parts = startAhead(regionsOf(plan).entries(), 2, ([index, region]) => ({
    done: labelsOf(region, index).then((labels) => ({ region, labels: checked(labels, region, index) })),
  }));
  let row: { readonly region: Rectangle; readonly labels: Uint8Array }[] = [];
  for await (const part of parts) {
    row.push(part);
    if (part.region.left + part.region.width < plan.width) continue;
    const rows = Math.max(1, Math.floor(PIECE_PIXELS / plan.width));
    for (let top = 0; top < part.region.height; top += rows) {
      const count = Math.min(rows, part.region.height - top);
      const piece = new Uint8Array(count * plan.width);
      for (const { region, labels } of row) {
        for (let y = 0; y < count; y++) {
          const from = (top + y) * region.width;
          piece.set(labels.subarray(from, from + region.width), y * plan.width + region.left);
        }
      }
      yield piece;
    }
    row = [];
  }
}

function checked(labels: Uint8Array, { height, width }: Rectangle, index: number): Uint8Array {
  if (labels.length === height * width) return labels;
  const problem = `it holds ${labels.length} labels, but the region has ${height}x${width} pixels (height x width)`;
  throw fileError("corrupt-file", `region ${index} of the scene`, problem, "predict the region again");
}
