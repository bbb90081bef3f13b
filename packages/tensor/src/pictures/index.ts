export type { CanvasLike } from "../plain/canvas.js";
export { drawToCanvas } from "./drawToCanvas.js";
export { type FromImageOptions, fromImage } from "./fromImage.js";
export type {
  ImageBitmapLike,
  ImageDataLike,
  ImageElementLike,
  PictureSource,
  VideoElementLike,
  VideoFrameLike,
} from "./source.js";
