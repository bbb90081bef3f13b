import type { Area, Line, Point, Stroke } from "../../session/types.js";
import type { Size } from "./viewport.js";

/** What is painted on an image, and how it looks. */
export interface Painting {
  readonly imageId: string;
  readonly strokes: readonly Stroke[];
  /** CSS colours by class. */
  readonly colours: ReadonlyMap<string, string>;
  /** These strokes are hatched. */
  readonly heldBack: ReadonlySet<string>;
}

/** The longer side of the canvas in its own pixels: large enough for a screen, small enough for a telephone. */
const SIDE = 2048;
/** Milliseconds of drawing before the page gets its turn. */
const SLICE = 8;
/** Points of a line that are drawn at once: one long path is slow to draw. */
const PIECE = 128;

/**
 * Draws strokes on a canvas that lies over the image. A new stroke is drawn over what is there; anything else is drawn
 * anew beside it, some milliseconds at a time, and shown when it is whole.
 */
export class PaintLayer {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  #ratio = 1;
  #shown: Painting | undefined;
  #live: { readonly stroke: Stroke; readonly colour: string | undefined } | undefined;
  #job = 0;

  constructor(canvas: HTMLCanvasElement) {
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("this browser gives no 2d canvas; reload the page");
    this.#canvas = canvas;
    this.#context = context;
  }

  /** For an image of this size; everything drawn is gone. */
  resize({ height, width }: Size): void {
    this.#ratio = SIDE / Math.max(height, width);
    this.#canvas.width = Math.max(1, Math.round(width * this.#ratio));
    this.#canvas.height = Math.max(1, Math.round(height * this.#ratio));
    this.#shown = undefined;
  }

  show(painting: Painting): void {
    const shown = this.#shown;
    this.#shown = painting;
    this.#job += 1;
    const last = painting.strokes.at(-1);
    if (shown !== undefined && last !== undefined && isOneMore(shown, painting)) {
      this.#drawStroke(this.#context, last, painting);
      return;
    }
    void this.#redraw(this.#job, painting);
  }

  /** Draws the newest part of a stroke that is being painted; undefined forgets it, and what was drawn of it goes. */
  live(line: Line | undefined, classId: string | null, colour: string | undefined, from: number): void {
    if (line === undefined) {
      this.#live = undefined;
      const shown = this.#shown;
      if (shown !== undefined) void this.#redraw(++this.#job, shown);
      return;
    }
    this.#live = { stroke: { id: "", classId, shape: line }, colour };
    this.#prepare(this.#context, classId, colour);
    drawLine(this.#context, line, from);
  }

  /** The stroke that was live is part of what is shown next. */
  commit(): void {
    this.#live = undefined;
  }

  async #redraw(job: number, painting: Painting): Promise<void> {
    const buffer = document.createElement("canvas");
    buffer.width = this.#canvas.width;
    buffer.height = this.#canvas.height;
    const context = buffer.getContext("2d", { willReadFrequently: true });
    if (context === null) return;
    let until = performance.now() + SLICE;
    for (const stroke of painting.strokes) {
      this.#drawStroke(context, stroke, painting);
      // Browsers note what is to be drawn and draw it later, all at once; for a pixel that is read they draw it at once.
      context.getImageData(0, 0, 1, 1);
      if (performance.now() < until) continue;
      await new Promise((resolve) => setTimeout(resolve));
      if (job !== this.#job) return;
      until = performance.now() + SLICE;
    }
    this.#context.globalCompositeOperation = "copy";
    this.#context.setTransform(1, 0, 0, 1, 0, 0);
    this.#context.drawImage(buffer, 0, 0);
    const live = this.#live;
    if (live?.stroke.shape.kind !== "line") return;
    this.#prepare(this.#context, live.stroke.classId, live.colour);
    drawLine(this.#context, live.stroke.shape, 0);
  }

  #drawStroke(context: CanvasRenderingContext2D, stroke: Stroke, { colours, heldBack }: Painting): void {
    const colour = stroke.classId === null ? undefined : colours.get(stroke.classId);
    if (stroke.classId !== null && colour === undefined) return;
    if (colour !== undefined && heldBack.has(stroke.id)) {
      this.#prepare(context, null, undefined);
      drawShape(context, stroke.shape);
      this.#prepare(context, stroke.classId, this.#hatch(context, colour));
    } else {
      this.#prepare(context, stroke.classId, colour);
    }
    drawShape(context, stroke.shape);
  }

  #prepare(context: CanvasRenderingContext2D, classId: string | null, fill: string | CanvasPattern | undefined): void {
    context.globalCompositeOperation = classId === null ? "destination-out" : "source-over";
    const style = fill ?? "#000";
    context.fillStyle = style;
    context.strokeStyle = style;
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
  }

  /** Slanted stripes that look alike on an image of any size. */
  #hatch(context: CanvasRenderingContext2D, colour: string): CanvasPattern | string {
    const side = 14;
    const tile = document.createElement("canvas");
    tile.width = side;
    tile.height = side;
    const inside = tile.getContext("2d");
    if (inside === null) return colour;
    inside.strokeStyle = colour;
    inside.lineWidth = side * 0.42;
    for (const shift of [-side, 0, side]) {
      inside.moveTo(shift - 2, side + 2);
      inside.lineTo(shift + side + 2, -2);
    }
    inside.stroke();
    const pattern = context.createPattern(tile, "repeat");
    pattern?.setTransform(new DOMMatrix().scale(1 / this.#ratio));
    return pattern ?? colour;
  }
}

/** Whether `next` is what is shown and one stroke more. */
function isOneMore(shown: Painting, next: Painting): boolean {
  return (
    shown.imageId === next.imageId &&
    shown.strokes.length + 1 === next.strokes.length &&
    shown.strokes.every((stroke, i) => stroke === next.strokes[i]) &&
    shown.strokes.every(({ id }) => shown.heldBack.has(id) === next.heldBack.has(id)) &&
    [...shown.colours].every(([id, colour]) => next.colours.get(id) === colour)
  );
}

function drawShape(context: CanvasRenderingContext2D, shape: Line | Area): void {
  if (shape.kind === "line") {
    drawLine(context, shape, 0);
    return;
  }
  context.beginPath();
  for (const ring of shape.rings) {
    follow(context, ring);
    context.closePath();
  }
  context.fill("evenodd");
}

/** Draws a line from its point `from` on, in pieces: they are opaque, so that it does not show. */
function drawLine(context: CanvasRenderingContext2D, { points, width }: Line, from: number): void {
  context.lineWidth = width;
  context.lineCap = "round";
  context.lineJoin = "round";
  for (let start = from; start === from || start < points.length - 1; start += PIECE) {
    const piece = points.slice(start, start + PIECE + 1);
    const [first] = piece;
    if (first === undefined) return;
    context.beginPath();
    follow(context, piece.length === 1 ? [first, first] : piece);
    context.stroke();
  }
}

function follow(context: CanvasRenderingContext2D, points: readonly Point[]): void {
  points.forEach(([x, y], i) => {
    if (i === 0) context.moveTo(x, y);
    else context.lineTo(x, y);
  });
}
