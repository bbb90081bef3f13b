import { type data, label2image, showImages, toImage, toTensor } from "@fcn/core";
import { createDevice } from "@fcn/tensor";

/** What {@link showExercise} drew. */
export interface ShowExercise {
  /** Width and height of the canvas, and its pixels as RGBA rows. */
  readonly canvas: { readonly size: readonly number[]; readonly pixels: readonly number[] };
  /** The bytes of the same grid as a PNG image. */
  readonly png: readonly number[];
  /** An image after it was a tensor. */
  readonly back: readonly number[];
}

const rgb = Array.from({ length: 3 * 4 * 5 }, (_, i) => (i * 37) % 256);

/** A photograph and a label map side by side. */
export const shownImages = (): data.RasterImage[] => [
  { data: Uint8Array.from(rgb), height: 4, width: 5, channels: 3 },
  label2image({ labels: [0, 15, 255, 1], height: 2, width: 2 }),
];

/** Draws on a canvas of a page, and into a PNG image. */
export async function showExercise(): Promise<ShowExercise> {
  const canvas = new OffscreenCanvas(1, 1);
  await showImages(shownImages(), { canvas, scale: 2 });
  const { width, height } = canvas;
  const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
  const pixels = Array.from(context.getImageData(0, 0, width, height).data);
  const png = Array.from(await showImages(shownImages(), { scale: 2 }));
  const device = await createDevice({ quiet: true });
  const { data } = await toImage(await toTensor(device, shownImages()[0]!));
  device.destroy();
  return { canvas: { size: [width, height], pixels }, png, back: Array.from(data) };
}
