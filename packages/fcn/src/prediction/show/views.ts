import { clamp, type Device, gt, log, maxPool2d, mul, neg, paint, reshape, sum, type Tensor, where } from "@fcn/tensor";
import { packPixel } from "../../labels/pixels.js";
import type { OverlayStyle } from "../enqueue.js";
import { magma } from "./magma.js";

export const VIEWS = ["overlay", "classes", "outline", "entropy"] as const;

/**
 * What a canvas shows of a prediction: the image under the colours of its classes, the colours alone, which hide what
 * is below, the borders between regions, one pixel on each side of them, and nothing elsewhere, or how unsure the net
 * is, from nothing where it is sure to opaque and bright where all classes are as probable.
 */
export type PredictionView = (typeof VIEWS)[number];

/** What views are painted from, each [H, W]. */
export interface Painted {
  /** int32 */
  readonly labels: Tensor;
  /** Pixels of the image, int32; for an overlay. */
  readonly pixels: Tensor | undefined;
  /** What {@link entropyLevels} gives; for the view of the entropy. */
  readonly levels: Tensor | undefined;
}

/** The pixels of a view, int32 [H, W]. */
export function paintView(view: PredictionView, { labels, pixels, levels }: Painted, style: OverlayStyle): Tensor {
  const { device } = labels;
  const { alpha, plain } = style;
  if (view === "entropy") return paint(levels as Tensor, entropyPalette(device));
  const palette = words(
    device,
    style.palette.map(([r, g, b]) => packPixel(r, g, b)),
  );
  if (view === "overlay") return paint(labels, palette, { image: pixels, alpha, plain });
  return paint(view === "outline" ? bordersOf(labels) : labels, palette);
}

const words = (device: Device, values: readonly number[]): Tensor =>
  device.tensor(Int32Array.from(values), [values.length], { dtype: "int32" });

/** Labels [H, W] where one of the eight neighbours has another, and -1 elsewhere. */
function bordersOf(labels: Tensor): Tensor {
  const { shape } = labels;
  const plane = reshape(labels.to("float32"), [1, 1, ...shape]);
  const window = { kernelSize: 3, stride: 1, padding: 1 };
  const [most, least] = [maxPool2d(plane, window), neg(maxPool2d(neg(plane), window))];
  return where(reshape(gt(most, least), shape), labels, -1);
}

const LEVELS = 256;

/** Opaque where the net is unsure. */
const entropyPalette = (device: Device): Tensor =>
  words(
    device,
    Array.from({ length: LEVELS }, (_, level) => packPixel(...magma(level / (LEVELS - 1)), level)),
  );

/** The least probability whose logarithm is taken. */
const LEAST = 1e-30;

/**
 * Entropy of the probabilities [1, classes, H, W] as a share of that of equal ones: int32 [1, H, W] from 0 for
 * certainty to 255.
 */
export function entropyLevels(probabilities: Tensor): Tensor {
  const classes = probabilities.shape[1] as number;
  const most = Math.log(Math.max(2, classes));
  const entropy = sum(mul(probabilities, log(clamp(probabilities, { min: LEAST }))), { dim: 1 });
  return clamp(mul(entropy, -(LEVELS - 1) / most).add(0.5), { min: 0, max: LEVELS - 1 }).to("int32");
}
