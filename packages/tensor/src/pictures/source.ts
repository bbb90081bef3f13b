import type { CanvasLike } from "../plain/canvas.js";

/** Interleaved rows of red, green, blue and opacity, as in the browser's ImageData. */
export interface ImageDataLike {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly height: number;
  readonly width: number;
}

/** What an ImageBitmap offers. */
export interface ImageBitmapLike {
  readonly width: number;
  readonly height: number;
  close(): void;
}

/** What an `<img>` of the page offers, which must be loaded. */
export interface ImageElementLike {
  readonly naturalWidth: number;
  readonly naturalHeight: number;
}

/** What a `<video>` of the page offers, of which the frame that it shows is meant. */
export interface VideoElementLike {
  readonly videoWidth: number;
  readonly videoHeight: number;
}

/** What a VideoFrame offers. */
export interface VideoFrameLike {
  readonly displayWidth: number;
  readonly displayHeight: number;
  close(): void;
}

/** A picture that a page shows or holds: an element, a canvas, an ImageBitmap, a VideoFrame or ImageData. */
export type PictureSource =
  | ImageDataLike
  | CanvasLike
  | ImageBitmapLike
  | ImageElementLike
  | VideoElementLike
  | VideoFrameLike;

/** The names that height and width have in each kind of picture. */
export const SIDES = [
  ["naturalHeight", "naturalWidth"],
  ["videoHeight", "videoWidth"],
  ["displayHeight", "displayWidth"],
  ["height", "width"],
] as const;

/** Whether a value is a picture of a page, and not a file, a path or rows in memory. */
export function isPicture(value: unknown): value is PictureSource {
  if (typeof value !== "object" || value === null || "channels" in value || "byteLength" in value) return false;
  const [tall] = SIDES.find(([name]) => name in value) ?? [];
  return tall === "height" ? ["data", "close", "getContext"].some((name) => name in value) : tall !== undefined;
}
