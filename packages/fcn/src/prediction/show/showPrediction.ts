import { type CanvasLike, drawToCanvas, fromImage, type PictureSource, type Tensor } from "@fcn/tensor";
import { checkValue, invalidArgument, isPicture, pictureSize, placeRows, rules } from "@fcn/tensor/internal";
import { packRows } from "../../labels/pixels.js";
import type { RasterImage } from "../../labels/sample.js";
import { oneOf } from "../../options/rules.js";
import type { OverlayStyle } from "../enqueue.js";
import type { NetOrNets } from "../ensemble.js";
import { type ImageInput, nameOf, toRaster } from "../image.js";
import type { Inference } from "../inference.js";
import { type PredictOptions, preparePrediction } from "../predict.js";
import { type HeadStrip, stripsNow } from "../strips.js";
import { inTurn } from "../turns.js";
import { pixelImage } from "./pixelImage.js";
import { entropyLevels, type PredictionView, paintView, VIEWS } from "./views.js";

export type { PredictionView } from "./views.js";

/** Options of {@link showPrediction}; those of `predict` mean the same. */
export interface ShowPredictionOptions extends Omit<PredictOptions, "probabilities" | "overlay"> {
  /** What the canvas shows. Default "overlay". */
  readonly show?: PredictionView | undefined;
  /** Share of the colours in an overlay, 0 to 1. Default 0.5. */
  readonly alpha?: number | undefined;
}

/** A canvas, and what it shows of a prediction. */
export interface CanvasView {
  readonly canvas: CanvasLike;
  /** Default: that of the options. */
  readonly show?: PredictionView | undefined;
}

interface ShownView {
  readonly canvas: CanvasLike;
  readonly show: PredictionView;
}

const OP = "showPrediction";

/**
 * Predicts an image as {@link predict} does, and draws the result on a canvas of the page or of a worker without
 * reading anything back: the labels are painted where they lie. A picture of the page (an `<img>`, `<video>`, canvas,
 * ImageBitmap, VideoFrame) goes to the device without the host too. The canvas takes the size of the image, which is
 * returned. With a list of canvases, several views come from one pass of the net; those that are clear in places may
 * lie above others.
 *
 * Throws what `predict` and `drawToCanvas` of @fcn/tensor throw.
 *
 * @example
 * ```ts
 * import { models, showPrediction } from "@fcn/core";
 * import { createDevice } from "@fcn/tensor";
 *
 * const [photo, canvas] = [document.querySelector("img")!, document.querySelector("canvas")!];
 * const device = await createDevice();
 * const net = models.create("fcn32s-small", device, { numClasses: 2 });
 * const preprocessing = { channelOrder: "rgb", mean: [0, 0, 0], std: [255, 255, 255] } as const;
 * await showPrediction(net, photo, canvas, { preprocessing, show: "overlay" });
 * ```
 */
export async function showPrediction(
  nets: NetOrNets,
  image: ImageInput,
  canvas: CanvasLike | readonly CanvasView[],
  options: ShowPredictionOptions = {},
): Promise<{ readonly height: number; readonly width: number }> {
  const { show = "overlay", alpha = 0.5, ...rest } = options;
  const given = (Array.isArray(canvas) ? canvas : [{ canvas }]) as readonly CanvasView[];
  const views = given.map((view): ShownView => ({ canvas: view.canvas, show: view.show ?? show }));
  for (const view of views) checkValue(OP, "show", view.show, oneOf(VIEWS));
  checkValue(OP, "alpha", alpha, rules.probability);
  if (views.length === 0) throw invalidArgument(`${OP}: the list of canvases is empty`, "pass at least one canvas");
  const { inference, outputs, scale } = preparePrediction(OP, nets, { ...rest, overlay: { alpha } });
  const seen = isPicture(image) ? image : await toRaster(image, nameOf(image), scale, OP);
  const { device } = inference;
  return inTurn(device, () => device.scope(() => drawNow(inference, seen, views, outputs.overlay as OverlayStyle)));
}

async function drawNow(
  inference: Inference,
  image: PictureSource | RasterImage,
  views: readonly ShownView[],
  style: OverlayStyle,
): Promise<{ readonly height: number; readonly width: number }> {
  const { device } = inference;
  const shows = (view: PredictionView): boolean => views.some(({ show }) => show === view);
  const onDevice = isPicture(image);
  const { height, width } = onDevice ? pictureSize(OP, image) : image;
  const pixels = onDevice
    ? fromImage(device, image, { dtype: "int32" })
    : shows("overlay")
      ? packed(inference, image)
      : undefined;
  const plane = (): Tensor => device.zeros([height, width], { dtype: "int32" });
  const [labels, levels] = [plane(), shows("entropy") ? plane() : undefined];
  const images = onDevice ? ([pixelImage(pixels as Tensor)] as const) : [image];
  await stripsNow(inference, images, { probabilities: levels !== undefined }, ({ top, heads }) => {
    const head = heads[0] as HeadStrip;
    placeRows(labels, head.labels, top);
    if (levels) placeRows(levels, entropyLevels(head.probabilities as Tensor), top);
  });
  for (const { canvas, show } of views) await drawToCanvas(paintView(show, { labels, pixels, levels }, style), canvas);
  return { height, width };
}

function packed({ device }: Inference, image: RasterImage): Tensor {
  const { height, width } = image;
  const words = new Int32Array(height * width);
  packRows(image, 0, height, words);
  return device.tensor(words, [height, width], { dtype: "int32" });
}
