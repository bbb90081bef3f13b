import { signal } from "@preact/signals";
import { noteError } from "../../app/notes.js";
import { brushSize, classColours, classId, edit, session, settings, shown } from "../../app/state.js";
import { inWorker } from "../../app/work/inWorker.js";
import { addStroke, newId } from "../../session/commands.js";
import type { Area, Line, PaintedImage, Point } from "../../session/types.js";
import type { PaintLayer } from "./paintLayer.js";
import { viewport } from "./place.js";

/** The corners so far of a polygon that is being drawn, in pixels of the image. */
export const draft = signal<readonly Point[]>([]);

/** Of the width of a line, the part below which points are too near to each other to be kept. */
const NEAR = 1 / 24;
/** CSS pixels within which a click on the first corner closes a polygon. */
const CLOSES = 12;

/** A line that is being painted by brush or eraser. */
export class Gesture {
  readonly #layer: PaintLayer;
  readonly #image: PaintedImage;
  readonly #classId: string | null;
  readonly #width: number;
  readonly #points: Point[] = [];
  #drawn = 0;

  constructor(layer: PaintLayer, image: PaintedImage, erases: boolean) {
    this.#layer = layer;
    this.#image = image;
    this.#classId = erases ? null : classId.value;
    this.#width = rounded(brushSize.value / viewport.value.scale);
  }

  get #line(): Line {
    return { kind: "line", points: this.#points, width: this.#width };
  }

  /** Goes on to a point of the image. */
  add([x, y]: Point): void {
    const last = this.#points.at(-1);
    if (last !== undefined && Math.hypot(x - last[0], y - last[1]) < this.#width * NEAR) return;
    this.#points.push([rounded(x), rounded(y)]);
  }

  /** Draws what was added since it was last called. */
  draw(): void {
    if (this.#points.length === this.#drawn) return;
    const colour = this.#classId === null ? undefined : classColours.value.get(this.#classId);
    this.#layer.live(this.#line, this.#classId, colour, Math.max(0, this.#drawn - 1));
    this.#drawn = this.#points.length;
  }

  /** The line becomes a stroke of the session, unless all of it lies beside the image. */
  end(): void {
    const [reach, { height, width }] = [this.#width / 2, this.#image];
    const seen = this.#points.some(([x, y]) => x > -reach && y > -reach && x < width + reach && y < height + reach);
    if (!seen) {
      this.cancel();
      return;
    }
    this.#layer.commit();
    paint(this.#image.id, this.#classId, this.#line);
  }

  cancel(): void {
    this.#layer.live(undefined, null, undefined, 0);
  }
}

/** Adds a corner to the polygon, or closes it where the corner is the first one again. */
export function addCorner(at: Point): void {
  const [first] = draft.value;
  const isFirst = first !== undefined && Math.hypot(at[0] - first[0], at[1] - first[1]) * viewport.value.scale < CLOSES;
  if (isFirst && draft.value.length >= 3) closePolygon();
  else draft.value = [...draft.value, [rounded(at[0]), rounded(at[1])]];
}

export function closePolygon(): void {
  const ring = draft.value;
  const image = shown.value;
  draft.value = [];
  if (image !== undefined && ring.length >= 3) paint(image.id, classId.value, { kind: "area", rings: [ring] });
}

/** Fills the region of what is painted so far, or of what is not painted, around a point of the image. */
export async function fillAt(at: Point): Promise<void> {
  const image = shown.value;
  const filled = classId.value;
  if (image === undefined || at[0] < 0 || at[1] < 0 || at[0] >= image.width || at[1] >= image.height) return;
  try {
    const { workSide } = settings.value;
    const area = await inWorker((work) => work.fill(image, session.value.classes, workSide, at));
    if (area !== undefined && area.rings.length > 0) paint(image.id, filled, area);
  } catch (thrown) {
    noteError(thrown);
  }
}

function paint(imageId: string, paintedClass: string | null, shape: Line | Area): void {
  try {
    edit(addStroke(session.value, imageId, { id: newId(), classId: paintedClass, shape }));
  } catch (thrown) {
    noteError(thrown);
  }
}

/** Tenths of a pixel are enough, and keep what is stored small. */
const rounded = (value: number): number => Math.round(value * 10) / 10;
