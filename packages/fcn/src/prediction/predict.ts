import { hasCode, TensorError } from "@fcn/tensor";
import { checkValue } from "@fcn/tensor/internal";
import { mapAhead, startAhead } from "../async/pipeline.js";
import { type PixelRange, type PixelScale, pixelRange } from "../data/decode/pixelScale.js";
import type { Preprocessing } from "../data/samples/preprocessing.js";
import { type Colour, vocColours } from "../labels/colours.js";
import type { RasterImage } from "../labels/sample.js";
import type { LoadedModel } from "../models/file/weightsFile.js";
import type { SegmentationNet } from "../models/segmentationNet.js";
import { enqueue, type Outputs, type OverlayStyle, type Prediction } from "./enqueue.js";
import { type ImageInput, nameOf, toRaster } from "./image.js";
import { createInference, type Inference } from "./inference.js";
import { checkPreprocessing, type InferenceOptions } from "./options.js";

export interface PredictOptions extends InferenceOptions {
  /** The one that the net was trained with; what `loadModel` returns brings it along. */
  readonly preprocessing?: Preprocessing | undefined;
  /**
   * The values that become 0 and 255 in files of more than 8 bits. Default: that which the net was trained with, in
   * `preprocessing`.
   */
  readonly range?: PixelRange | undefined;
  /** Also return the probability of every class at every pixel. Default false. */
  readonly probabilities?: boolean | undefined;
  /** Also return the image under the colours of its classes; `alpha` is their share, by default 0.5. Default false. */
  readonly overlay?: boolean | { readonly alpha: number } | undefined;
  /** Red, green, blue of each class, 0 to 255. Default the net's own, or PASCAL VOC's. */
  readonly palette?: readonly Colour[] | undefined;
  /**
   * Names of the classes: one called "background" is left unpainted; without names that is class 0. Default the net's
   * own.
   */
  readonly classes?: readonly string[] | undefined;
}

/** A net, or what `loadModel` returns: then nothing else needs to be said. */
export type NetOrLoaded = SegmentationNet | LoadedModel;

/**
 * The class of each pixel of one image, of any size: at once, or in tiles where that would take more than `memory` on
 * the device. Tiles lie at multiples of the net's stride and their logits are averaged where they overlap, as the d2l
 * chapter on FCN describes; so the labels are those of the whole image at all pixels that lie at least as far from the
 * borders of their tiles as the net looks (`models.reachOf`). Several `scales` and `mirror` average the softmax of each
 * view, as is usual at test time.
 *
 * Throws a TensorError for what is no image, and for options that cannot be.
 */
export async function predict(net: NetOrLoaded, image: ImageInput, options: PredictOptions = {}): Promise<Prediction> {
  const { inference, outputs, scale } = preparePrediction("predict", net, options);
  const raster = await toRaster(image, nameOf(image), scale);
  const { done } = await enqueue(inference, [raster], outputs);
  return (await done)[0] as Prediction;
}

/** What became of one of many images. */
export type PredictionResult<T> =
  | { readonly item: T; readonly prediction: Prediction; readonly error?: undefined }
  | { readonly item: T; readonly error: TensorError; readonly prediction?: undefined };

/**
 * Predicts many images in their order at the speed of the net: some are decoded while the device works on others. An
 * image that cannot be read gives a result with the error, and the others go on. Throws when the device fails, and the
 * reason of `signal` once it is aborted.
 */
export async function* predictAll(
  net: NetOrLoaded,
  images: Iterable<ImageInput> | AsyncIterable<ImageInput>,
  options: PredictOptions = {},
): AsyncGenerator<PredictionResult<ImageInput>> {
  const { inference, outputs, scale } = preparePrediction("predictAll", net, options);
  yield* predictEach(
    inference,
    images,
    (image) => toRaster(image, nameOf(image), scale),
    () => outputs,
  );
}

/** Images that are decoded at a time, ahead of the device. */
const DECODE_AHEAD = 4;
/** Images on the device: while one is read back the next is being worked on. */
const ON_DEVICE = 2;

/** As {@link predictAll}, of anything that `load` makes images of. */
export async function* predictEach<T>(
  inference: Inference,
  items: Iterable<T> | AsyncIterable<T>,
  load: (item: T) => Promise<RasterImage>,
  outputs: (item: T, image: RasterImage) => Outputs,
): AsyncGenerator<PredictionResult<T>> {
  // What an aborted signal ends is no failure of the image.
  const errorOf = (error: unknown): TensorError => {
    inference.signal?.throwIfAborted();
    return imageError(error);
  };
  const decoded = mapAhead(items, DECODE_AHEAD, async (item) => {
    return { item, image: await load(item).catch(errorOf) };
  });
  yield* startAhead(decoded, ON_DEVICE, async ({ item, image }) => {
    const started =
      image instanceof TensorError ? image : await enqueue(inference, [image], outputs(item, image)).catch(errorOf);
    return { done: resultOf(item, started, errorOf) };
  });
}

async function resultOf<T>(
  item: T,
  started: TensorError | Awaited<ReturnType<typeof enqueue>>,
  errorOf: (error: unknown) => TensorError,
): Promise<PredictionResult<T>> {
  if (started instanceof TensorError) return { item, error: started };
  const found = await started.done.catch(errorOf);
  return found instanceof TensorError ? { item, error: found } : { item, prediction: found[0] as Prediction };
}

/**
 * After one of these there is no use in going on. On a full disk the results of all other images would be lost as well.
 */
const FATAL = ["device-lost", "out-of-memory", "gpu-error", "kernel-compile", "disk-full"] as const;

/** Returns what is wrong with an image; throws on what is wrong with more. */
export function imageError(error: unknown): TensorError {
  if (error instanceof TensorError && !hasCode(error, ...FATAL)) return error;
  throw error;
}

/** The options of a prediction settled, with what a loaded model says of itself. */
export function preparePrediction(
  op: string,
  net: NetOrLoaded,
  options: PredictOptions,
): { readonly inference: Inference; readonly outputs: Outputs; readonly scale: PixelScale } {
  const { model, metadata } = "metadata" in net ? net : { model: net, metadata: undefined };
  const preprocessing = checkPreprocessing(op, options.preprocessing ?? metadata?.preprocessing);
  const { overlay = false, probabilities = false, range } = options;
  if (range !== undefined) checkValue(op, "range", range, pixelRange);
  const style: OverlayStyle = {
    palette: options.palette ?? metadata?.palette ?? vocColours(),
    alpha: typeof overlay === "object" ? overlay.alpha : 0.5,
    plain: plainClass(options.classes ?? metadata?.classes),
  };
  return {
    inference: createInference(model, preprocessing, options),
    outputs: { probabilities, overlay: overlay === false ? undefined : style },
    scale: range === undefined ? preprocessing : { range },
  };
}

function plainClass(classes: readonly string[] | undefined): number {
  return classes ? classes.findIndex((name) => /^_*background_*$/i.test(name)) : 0;
}
