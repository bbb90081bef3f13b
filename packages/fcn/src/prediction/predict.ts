import { hasCode, TensorError } from "@fcn/tensor";
import { mapAhead, startAhead } from "../async/pipeline.js";
import type { PixelRange, PixelScale } from "../data/decode/pixelScale.js";
import { RANGE } from "../data/open/range.js";
import type { Preprocessing } from "../data/samples/preprocessing.js";
import { type Colour, vocColours } from "../labels/colours.js";
import type { RasterImage } from "../labels/sample.js";
import { checkGiven } from "../options/option.js";
import { enqueue, type Outputs, type OverlayStyle, type Prediction } from "./enqueue.js";
import { type Ensemble, ensembleOf, type NetOrNets } from "./ensemble.js";
import { type ImageInput, nameOf, toRaster } from "./image.js";
import { createInference, type Inference } from "./inference.js";
import type { InferenceOptions } from "./inferenceOptions.js";

/** Options of {@link predict} and {@link predictAll}. */
export interface PredictOptions extends InferenceOptions {
  /** The preprocessing that the net was trained with. What `loadModel` returns includes it. */
  readonly preprocessing?: Preprocessing | undefined;
  /** The values that become 0 and 255 in files of more than 8 bits. Default: the range in `preprocessing`. */
  readonly range?: PixelRange | undefined;
  /** Also returns the probability of every class at every pixel. Default false. */
  readonly probabilities?: boolean | undefined;
  /** Also returns an overlay. `alpha` is the share of the colours, 0.5 by default. Default false. */
  readonly overlay?: boolean | { readonly alpha: number } | undefined;
  /** Red, green and blue of each class, 0 to 255. Default: the net's own, or PASCAL VOC's. */
  readonly palette?: readonly Colour[] | undefined;
  /**
   * Names of the classes. One called "background" stays unpainted; without names, class 0 does. Default: the net's own.
   */
  readonly classes?: readonly string[] | undefined;
}

/**
 * The class of each pixel of one image of any size. The image is predicted whole, or in tiles if it would take more
 * than `memory` on the device. Tiles lie at multiples of the net's stride, and their logits are averaged where they
 * overlap, as the d2l chapter on FCN describes. Labels therefore equal those of the whole image at all pixels that are
 * at least as far from the borders of their tiles as the net looks (`models.reachOf`). A net that looks at the whole
 * image, as one with global pooling does, takes each tile for an image. With several `scales` or `mirror`, the softmax
 * of all views is averaged, as is usual at test time; with a list of nets, that of all nets, each of which lies on the
 * device.
 *
 * Throws `invalid-argument` for a value that is not an image, for invalid options, and without preprocessing. A file
 * that cannot be read throws an error that names it. Throws `class-mismatch` for nets with different classes.
 *
 * @example
 * ```ts
 * import { models, predict } from "@fcn/core";
 * import { createDevice } from "@fcn/tensor";
 * const device = await createDevice();
 * const net = models.create("fcn32s-small", device, { numClasses: 2 });
 * const image = { data: new Uint8Array(48 * 64 * 3), height: 48, width: 64, channels: 3 };
 * const preprocessing = { channelOrder: "rgb", mean: [0, 0, 0], std: [255, 255, 255] } as const;
 * const { labels } = await predict(net, image, { preprocessing }); // 48 * 64 classes
 * device.destroy();
 * ```
 */
export async function predict(nets: NetOrNets, image: ImageInput, options: PredictOptions = {}): Promise<Prediction> {
  const { inference, outputs, scale } = preparePrediction("predict", nets, options);
  const raster = await toRaster(image, nameOf(image), scale);
  const { done } = await enqueue(inference, [raster], outputs);
  return (await done)[0] as Prediction;
}

/** The result for one of many images. */
export type PredictionResult<T> =
  | { readonly item: T; readonly prediction: Prediction; readonly error?: undefined }
  | { readonly item: T; readonly error: TensorError; readonly prediction?: undefined };

/**
 * Predicts many images in order at the speed of the net, decoding some while the device works on others. An image that
 * cannot be read gives a result with its error, and the rest continue. Throws if the device fails, and throws the
 * reason of `signal` once it is aborted.
 */
export async function* predictAll(
  nets: NetOrNets,
  images: Iterable<ImageInput> | AsyncIterable<ImageInput>,
  options: PredictOptions = {},
): AsyncGenerator<PredictionResult<ImageInput>> {
  const { inference, outputs, scale } = preparePrediction("predictAll", nets, options);
  yield* predictEach(
    inference,
    images,
    (image) => toRaster(image, nameOf(image), scale),
    () => outputs,
  );
}

/** Images decoded at a time, ahead of the device. */
const DECODE_AHEAD = 4;
/** Images on the device: while one is read back, it works on the next. */
const ON_DEVICE = 2;

/** Like {@link predictAll}, for anything that `load` turns into images. */
export async function* predictEach<T>(
  inference: Inference,
  items: Iterable<T> | AsyncIterable<T>,
  load: (item: T) => Promise<RasterImage>,
  outputs: (item: T, image: RasterImage) => Outputs,
): AsyncGenerator<PredictionResult<T>> {
  // An aborted signal is not a failure of the image.
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
 * Errors after which there is no point in continuing. On a full disk, the results of all other images would be lost
 * too.
 */
const FATAL = ["device-lost", "out-of-memory", "gpu-error", "kernel-compile", "disk-full"] as const;

/** Returns the error if it concerns one image; rethrows any other. */
export function imageError(error: unknown): TensorError {
  if (error instanceof TensorError && !hasCode(error, ...FATAL)) return error;
  throw error;
}

/** The resolved options of a prediction, including what a loaded model says of itself. */
export function preparePrediction(
  op: string,
  nets: NetOrNets,
  options: PredictOptions,
  names?: readonly string[],
): { readonly inference: Inference; readonly outputs: Outputs; readonly scale: PixelScale } {
  const isScaled = options.range !== undefined;
  const ensemble: Ensemble = ensembleOf(op, nets, { ...options, names, isScaled });
  const { model, metadata, preprocessing, others } = ensemble;
  const { overlay = false, probabilities = false, range } = options;
  checkGiven(op, RANGE, options);
  const style: OverlayStyle = {
    palette: options.palette ?? metadata?.palette ?? vocColours(),
    alpha: typeof overlay === "object" ? overlay.alpha : 0.5,
    plain: plainClass(options.classes ?? metadata?.classes),
  };
  return {
    inference: createInference(model, preprocessing, options, [], others),
    outputs: { probabilities, overlay: overlay === false ? undefined : style },
    scale: range === undefined ? preprocessing : { range },
  };
}

function plainClass(classes: readonly string[] | undefined): number {
  return classes ? classes.findIndex((name) => /^_*background_*$/i.test(name)) : 0;
}
