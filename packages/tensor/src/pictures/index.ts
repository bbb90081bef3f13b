export { drawToCanvas } from "./drawToCanvas.js";
export { type FromImageOptions, fromImage } from "./fromImage.js";
export type {
  CanvasLike,
  ImageBitmapLike,
  ImageDataLike,
  ImageElementLike,
  PictureSource,
  VideoElementLike,
  VideoFrameLike,
} from "./source.js";
