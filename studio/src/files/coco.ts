import { type LabelPolygon, type Position, tracePolygons } from "@fcn/core";
import type { FullLabels } from "../learn/learner.js";
import { VOID } from "../session/raster.js";
import type { PaintClass } from "../session/types.js";
import { exportName } from "./exportName.js";

/** An image by the name of its file, and its labels at full size. */
export interface LabelledImage extends FullLabels {
  readonly name: string;
}

/** COCO's run lengths down the columns: of 0, then of 1, and so on. */
interface RunLengths {
  readonly size: readonly [height: number, width: number];
  readonly counts: readonly number[];
}

/** The class that COCO has no category for: what no annotation covers. */
const BACKGROUND = "background";

/**
 * Labels as a file of COCO's form for instances ({@link https://cocodataset.org/#format-data}): a category for each
 * class but "background", and an annotation for each connected region: a polygon along the edges of its pixels, or run
 * lengths where it has holes. What is not labelled is a crowd region, which readers leave out of loss and scores.
 *
 * @param images may come one at a time, since the labels of many large images do not fit into memory
 */
export async function cocoJson(
  images: Iterable<LabelledImage> | AsyncIterable<LabelledImage>,
  classes: readonly PaintClass[],
): Promise<Blob> {
  const categories = classes.flatMap(({ name }, label) => (name === BACKGROUND ? [] : [{ id: label + 1, name }]));
  const listed: object[] = [];
  // A part for each image, since those of many together may exceed the length of a string.
  const parts: string[] = [];
  let id = 0;
  for await (const image of images) {
    const { name, height, width } = image;
    const imageId = listed.push({ id: listed.length + 1, file_name: exportName(name), height, width });
    const annotations: string[] = [];
    for (const { label, ...shape } of shapesOf(image, classes)) {
      const about = { id: ++id, image_id: imageId, category_id: label + 1 };
      annotations.push(JSON.stringify({ ...about, ...shape }));
    }
    if (annotations.length > 0) parts.push(`${parts.length > 0 ? ",\n" : ""}${annotations.join(",\n")}`);
  }
  const lists = `"images":${JSON.stringify(listed)},"categories":${JSON.stringify(categories)}`;
  return new Blob([`{${lists},"annotations":[`, ...parts, "]}"], { type: "application/json" });
}

function* shapesOf(image: LabelledImage, classes: readonly PaintClass[]) {
  const { height, width } = image;
  for (const polygon of tracePolygons(image)) {
    const { label, area, rings } = polygon;
    if (label === VOID || classes[label]?.name === BACKGROUND) continue;
    const bbox = boundsOf(polygon);
    const [outline] = rings;
    const isWhole = rings.length === 1 && outline !== undefined;
    const segmentation = isWhole ? [outline.slice(1).flat()] : runsOf(polygon, image);
    yield { label, segmentation, area, bbox, iscrowd: 0 };
  }
  const { runs, area } = voidRuns(image);
  const label = classes.findIndex(({ name }) => name !== BACKGROUND);
  if (area > 0 && label >= 0) yield { label, segmentation: runs, area, bbox: [0, 0, width, height], iscrowd: 1 };
}

/** x, y, width and height of what a polygon covers. */
function boundsOf({ rings: [outline = []] }: LabelPolygon): readonly [number, number, number, number] {
  let [left, top, right, bottom] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 0];
  for (const [x, y] of outline) {
    [left, top] = [Math.min(left, x), Math.min(top, y)];
    [right, bottom] = [Math.max(right, x), Math.max(bottom, y)];
  }
  return [left, top, right - left, bottom - top];
}

/** The run lengths of a polygon with holes, whose places are whole pixels. */
function runsOf({ rings }: LabelPolygon, { height, width }: LabelledImage): RunLengths {
  // The rows at which each column enters or leaves the region.
  const crossings = new Map<number, number[]>();
  for (const ring of rings) {
    for (let i = 1; i < ring.length; i++) {
      const [[from, y], [to, nextY]] = [ring[i - 1] as Position, ring[i] as Position];
      for (let x = Math.min(from, to); y === nextY && x < Math.max(from, to); x++) {
        const rows = crossings.get(x);
        if (rows === undefined) crossings.set(x, [y]);
        else rows.push(y);
      }
    }
  }
  const runs = new RunWriter(height, width);
  for (const [x, rows] of [...crossings].sort(([a], [b]) => a - b)) {
    rows.sort((a, b) => a - b);
    for (let i = 0; i + 1 < rows.length; i += 2) runs.add(x, rows[i] as number, rows[i + 1] as number);
  }
  return runs.finish();
}

/** The run lengths of all pixels that are void, and how many they are. */
function voidRuns({ labels, height, width }: LabelledImage): { readonly runs: RunLengths; readonly area: number } {
  const runs = new RunWriter(height, width);
  let area = 0;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if (labels[y * width + x] !== VOID) continue;
      runs.add(x, y, y + 1);
      area++;
    }
  }
  return { runs: runs.finish(), area };
}

/** Writes runs of 1 that come in the order of columns and rows. */
class RunWriter {
  readonly #counts = [0];
  /** The index after the last run. */
  #end = 0;

  constructor(
    private readonly height: number,
    private readonly width: number,
  ) {}

  /** Adds the pixels of a column from one row until before another. */
  add(column: number, from: number, to: number): void {
    const start = column * this.height + from;
    const last = this.#counts.length - 1;
    if (start === this.#end && last > 0) (this.#counts[last] as number) += to - from;
    else if (last === 0) this.#counts.splice(0, 1, start, to - from);
    else this.#counts.push(start - this.#end, to - from);
    this.#end = start + to - from;
  }

  finish(): RunLengths {
    const rest = this.height * this.width - this.#end;
    return { size: [this.height, this.width], counts: rest > 0 ? [...this.#counts, rest] : this.#counts };
  }
}
