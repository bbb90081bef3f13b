import { expose, transfer } from "comlink";
import { type ReadImage, readImage, thumbnail, workImage } from "../../files/readImages.js";
import { told } from "./told.js";

/** What the page wants of image files. What it throws is a plain object with message and fix. */
export interface ImageWork {
  /** Sees that a file can be used. */
  read(file: Blob, name: string): Promise<ReadImage>;
  /** The image with its longer side scaled down to at most so many pixels. */
  scaled(file: Blob, side: number): Promise<ImageBitmap>;
  thumbnail(file: Blob): Promise<Blob>;
}

const work: ImageWork = {
  read: readImage,
  async scaled(file, side) {
    const bitmap = await workImage(file, side);
    return transfer(bitmap, [bitmap]);
  },
  thumbnail,
};

expose(told(work));
