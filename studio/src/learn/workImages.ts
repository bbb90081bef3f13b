import type { data } from "@fcn/core";
import { workImage } from "../files/readImages.js";
import type { Store } from "../store/store.js";

/** Images at the size of the work, decoded from their files when they are asked for, and kept. */
export class WorkImages {
  readonly #images = new Map<string, Promise<data.RasterImage>>();

  /** @param workSide most pixels of the longer side */
  constructor(
    private readonly store: Store,
    readonly workSide: number,
  ) {}

  /** Rejects with what the store or the decoder of images says. */
  get(id: string): Promise<data.RasterImage> {
    const known = this.#images.get(id);
    if (known) return known;
    const made = this.#read(id);
    this.#images.set(id, made);
    made.catch(() => this.#images.delete(id));
    return made;
  }

  /** Forgets all images but these. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.#images.keys()) if (!ids.has(id)) this.#images.delete(id);
  }

  async #read(id: string): Promise<data.RasterImage> {
    const bitmap = await workImage(await this.store.image(id), this.workSide);
    const { height, width } = bitmap;
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error("The browser has no memory left for a canvas.");
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    const { data } = context.getImageData(0, 0, width, height);
    const rgb = new Uint8Array(height * width * 3);
    for (let i = 0, from = 0; i < rgb.length; i += 3, from += 4) rgb.set(data.subarray(from, from + 3), i);
    return { data: rgb, height, width, channels: 3 };
  }
}
