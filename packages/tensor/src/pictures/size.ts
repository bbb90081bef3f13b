import { describe } from "../plain/describe.js";
import { invalidArgument } from "../plain/errors.js";
import { isPicture, SIDES } from "./source.js";

/** What is wrong with a picture of each kind whose sides are 0, and what to do. */
const EMPTY: Readonly<Record<(typeof SIDES)[number][0], readonly [problem: string, fix: string]>> = {
  naturalHeight: ["the <img> is not loaded", "wait for it: await image.decode()"],
  videoHeight: ["the <video> has no frame", "wait for its event loadeddata"],
  displayHeight: ["the VideoFrame is closed", "close it after this call"],
  height: ["the image has no pixels, or is closed", "pass one of at least 1x1 pixels that is not closed"],
};

type Fields = Readonly<Record<string, unknown>>;

/** Height and width of a picture. Throws `invalid-argument` for what is none, or has no pixels yet. */
export function pictureSize(op: string, picture: unknown): { readonly height: number; readonly width: number } {
  if (!isPicture(picture)) {
    throw invalidArgument(`${op}: got ${describe(picture)}, but needs a picture of the page`, {
      code: "pass an <img>, <video>, canvas, ImageBitmap, VideoFrame or ImageData; fcn.toTensor takes files too",
    });
  }
  const fields = picture as unknown as Fields;
  const [tall, wide] = SIDES.find(([name]) => name in fields) as (typeof SIDES)[number];
  const [height, width] = [fields[tall], fields[wide]] as [number, number];
  if (height > 0 && width > 0 && (fields.complete ?? true) === true) return { height, width };
  const [problem, fix] = EMPTY[tall];
  throw invalidArgument(`${op}: ${problem} (it is ${height}x${width})`, { code: fix });
}
