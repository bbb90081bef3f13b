import { type Remote, wrap } from "comlink";
import type { ImageWork } from "./imageWorker.js";

let worker: Remote<ImageWork> | undefined;

/**
 * The worker that decodes the page's images. Browsers decode beside the page, but copy all pixels on the thread that
 * asked, which takes some 35 ms for 12 megapixels.
 */
export function decoding(): Remote<ImageWork> {
  worker ??= wrap<ImageWork>(new Worker(new URL("./imageWorker.ts", import.meta.url), { type: "module" }));
  return worker;
}
