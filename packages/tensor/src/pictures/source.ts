import type { CanvasLike } from "../plain/canvas.js";
import { describe } from "../plain/describe.js";
import { invalidArgument, type TensorError } from "../plain/errors.js";

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

/** The names of height and width in each kind of picture, and what is wrong where they are 0. */
const KINDS = [
  ["naturalHeight", "naturalWidth", "the <img> is not loaded", "wait for it: await image.decode()"],
  ["videoHeight", "videoWidth", "the <video> has no frame", "wait for its event loadeddata"],
  ["displayHeight", "displayWidth", "the VideoFrame is closed", "close it after this call"],
  ["height", "width", "the image has no pixels, or is closed", "pass one of at least 1x1 pixels that is not closed"],
] as const;

type Fields = Readonly<Record<string, unknown>>;

/** Whether a value is a picture of a page, and not a file, a path or rows in memory. */
export function isPicture(value: unknown): value is PictureSource {
  if (typeof value !== "object" || value === null || "channels" in value || "byteLength" in value) return false;
  const [tall] = KINDS.find(([name]) => name in value) ?? [];
  if (tall === undefined) return false;
  return tall !== "height" || ["data", "close", "getContext"].some((name) => name in value);
}

/** Height and width of a picture. Throws `invalid-argument` for what is none, or has no pixels yet. */
export function pictureSize(op: string, picture: unknown): { readonly height: number; readonly width: number } {
  if (!isPicture(picture)) throw noPicture(op, picture);
  const fields = picture as unknown as Fields;
  const [tall, wide, problem, fix] = KINDS.find(([name]) => name in fields) as (typeof KINDS)[number];
  const [height, width] = [fields[tall], fields[wide]] as [number, number];
  if (height > 0 && width > 0 && (fields.complete ?? true) === true) return { height, width };
  throw invalidArgument(`${op}: ${problem} (it is ${height}x${width})`, { code: fix });
}

const noPicture = (op: string, value: unknown): TensorError =>
  invalidArgument(`${op}: got ${describe(value)}, but needs a picture of the page`, {
    code: "pass an <img>, <video>, canvas, ImageBitmap, VideoFrame or ImageData; fcn.toTensor takes files too",
  });
