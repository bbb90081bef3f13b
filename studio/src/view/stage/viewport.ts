import type { Point } from "../../session/types.js";

/** Where an image lies on the stage: CSS pixels an image pixel, and the place of its left upper corner. */
export interface Viewport {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly height: number;
  readonly width: number;
}

/** CSS pixels an image pixel at most. */
const MOST = 40;
/** Of the image's sides, the share that stays on the stage however far it is moved. */
const KEPT = 0.15;

/** The whole image in the middle of the stage, with `margin` CSS pixels around it. */
export function fitted(image: Size, stage: Size, margin = 16): Viewport {
  const scale = Math.min(
    Math.max(1, stage.width - 2 * margin) / image.width,
    Math.max(1, stage.height - 2 * margin) / image.height,
  );
  return { scale, x: (stage.width - image.width * scale) / 2, y: (stage.height - image.height * scale) / 2 };
}

/** Zoomed by `factor` with the point of the image under `at` (CSS pixels of the stage) staying where it is. */
export function zoomed(from: Viewport, factor: number, at: Point, image: Size, stage: Size): Viewport {
  const least = Math.min(fitted(image, stage).scale / 2, 1);
  const scale = Math.min(MOST, Math.max(least, from.scale * factor));
  const ratio = scale / from.scale;
  return within({ scale, x: at[0] - (at[0] - from.x) * ratio, y: at[1] - (at[1] - from.y) * ratio }, image, stage);
}

export function moved(from: Viewport, by: Point, image: Size, stage: Size): Viewport {
  return within({ scale: from.scale, x: from.x + by[0], y: from.y + by[1] }, image, stage);
}

/** The point of the image, in its own pixels, at a point of the stage. */
export function toImage(viewport: Viewport, at: Point): Point {
  return [(at[0] - viewport.x) / viewport.scale, (at[1] - viewport.y) / viewport.scale];
}

/** The point of the stage at a point of the image. */
export function toStage(viewport: Viewport, at: Point): Point {
  return [at[0] * viewport.scale + viewport.x, at[1] * viewport.scale + viewport.y];
}

function within({ scale, x, y }: Viewport, image: Size, stage: Size): Viewport {
  return {
    scale,
    x: keep(x, image.width * scale, stage.width),
    y: keep(y, image.height * scale, stage.height),
  };
}

/** Where a side of length `side` may begin on a stage of length `room`, so that a part of it is still seen. */
function keep(start: number, side: number, room: number): number {
  const seen = KEPT * Math.min(side, room);
  return Math.min(room - seen, Math.max(seen - side, start));
}
