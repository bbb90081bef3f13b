import { type io, paint, type Tensor } from "@fcn/tensor";
import type { Colour } from "../labels/colours.js";
import { packPixel, packRows } from "../labels/pixels.js";
import type { RasterImage } from "../labels/sample.js";
import { BandReader, type BandSink } from "./bands.js";
import type { Inference } from "./inference.js";
import { HostProbabilities } from "./probabilities.js";
import { forEachStrip, type HeadStrip, type Strip } from "./strips.js";

/** A net's prediction for one image. */
export interface Prediction {
  /** One class per pixel of the image, row by row. */
  readonly labels: Uint8Array;
  readonly height: number;
  readonly width: number;
  /** float32 [classes, H, W], if requested. */
  readonly probabilities?: io.HostArray;
  /** The image overlaid with the colours of its classes, in the format of the browser's ImageData, if requested. */
  readonly overlay?: Uint8ClampedArray<ArrayBuffer>;
  /** How often nets ran: the number of tiles times the views of each net. */
  readonly tiles: number;
}

/** How an overlay is painted. */
export interface OverlayStyle {
  readonly palette: readonly Colour[];
  /** Share of the colour, 0 to 1. */
  readonly alpha: number;
  /** The class that stays unpainted; -1 for none. */
  readonly plain: number;
}

/** What is read back in addition to the labels. */
export interface Outputs {
  /** True to add them to the prediction, or a sink for those of a single image. */
  readonly probabilities?: boolean | BandSink;
  readonly overlay?: OverlayStyle | undefined;
}

/**
 * Gives the device all work on images of one size, and returns while the device is still working; `done` waits for the
 * results. By then no scope of the device is open, so the next images may be enqueued at once.
 */
export async function enqueue(
  inference: Inference,
  images: readonly RasterImage[],
  outputs: Outputs = {},
): Promise<{ readonly done: Promise<Prediction[]> }> {
  const { height, width } = images[0] as RasterImage;
  const collectors = images.map(() => new Collector(height, width));
  const reads: Promise<void>[] = [];
  const read = (tensor: Tensor, take: (collector: Collector, part: ArrayLike<number>) => void): void => {
    const done = tensor.data().then((data) => {
      const size = data.length / collectors.length;
      for (const [n, collector] of collectors.entries()) take(collector, data.subarray(n * size, (n + 1) * size));
    });
    // The consumer of the predictions awaits this. Until then, a rejection must not count as unhandled.
    done.catch(() => undefined);
    reads.push(done);
  };
  const { probabilities: wanted = false, overlay } = outputs;
  const bands = new BandReader(
    typeof wanted === "object" ? [wanted] : collectors.map(({ probabilities }) => probabilities),
  );
  const use = async ({ top, height, heads }: Strip): Promise<void> => {
    const { classes, labels, probabilities } = heads[0] as HeadStrip;
    read(labels, (collector, part) => collector.labels.set(part, top * width));
    if (overlay) {
      const painted = paintStrip(images, labels, top, overlay);
      read(painted, (collector, part) => collector.addOverlay(part as Int32Array, top));
    }
    if (probabilities) await bands.read({ top, height, classes }, probabilities);
  };
  const tiles = await forEachStrip(inference, images, { probabilities: wanted !== false }, use);
  const done = Promise.all([bands.done(), ...reads]).then(() => {
    return collectors.map((collector) => collector.prediction(tiles));
  });
  done.catch(() => undefined);
  return { done };
}

/** Paints the colours of a strip's classes over its rows of the images. */
function paintStrip(
  images: readonly RasterImage[],
  labels: Tensor,
  top: number,
  { palette, alpha, plain }: OverlayStyle,
): Tensor {
  const { device, shape } = labels;
  const [, height, width] = shape as [number, number, number];
  const words = new Int32Array(labels.size);
  for (const [n, image] of images.entries()) packRows(image, top, height, words.subarray(n * height * width));
  const colours = Int32Array.from(palette, ([r, g, b]) => packPixel(r, g, b));
  const image = device.tensor(words, shape, { dtype: "int32" });
  return paint(labels, device.tensor(colours, [colours.length], { dtype: "int32" }), { image, alpha, plain });
}

/** Joins the strips of one image. */
class Collector {
  readonly labels: Uint8Array;
  readonly probabilities: HostProbabilities;
  #overlay: Uint8ClampedArray<ArrayBuffer> | undefined;

  constructor(
    private readonly height: number,
    private readonly width: number,
  ) {
    this.labels = new Uint8Array(height * width);
    this.probabilities = new HostProbabilities({ height, width });
  }

  addOverlay(pixels: Int32Array, top: number): void {
    this.#overlay ??= new Uint8ClampedArray(this.height * this.width * 4);
    const bytes = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
    this.#overlay.set(bytes, top * this.width * 4);
  }

  prediction(tiles: number): Prediction {
    const { labels, height, width } = this;
    const probabilities = this.probabilities.array;
    return {
      labels,
      height,
      width,
      tiles,
      ...(probabilities && { probabilities }),
      ...(this.#overlay && { overlay: this.#overlay }),
    };
  }
}
