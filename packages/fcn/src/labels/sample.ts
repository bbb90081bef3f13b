import { TensorError } from "@fcn/tensor";
import { invalidArgument, invalidShape } from "@fcn/tensor/internal";

/** The label of pixels that count neither in the loss nor in any metric, as in PASCAL VOC. */
export const VOID_LABEL = 255;

/** An image: `data` holds interleaved rows, `height` x `width` x `channels` (RGB, 0 to 255). */
export interface RasterImage {
  readonly data: Uint8Array | Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** An image with one class per pixel, in row-major order; {@link VOID_LABEL} marks pixels without a class. */
export interface SegmentationSample {
  readonly name: string;
  readonly image: RasterImage;
  readonly labels: Uint8Array;
  /** Extra labels of the image by name, for nets with several heads (SIFT Flow: "geometric"). */
  readonly more?: Readonly<Record<string, Uint8Array>>;
}

/** Throws `invalid-shape` unless `image.data` holds height x width x channels values, at least one. */
export function checkImage(op: string, image: RasterImage): void {
  const { data, height, width, channels } = image;
  const wanted = height * width * channels;
  if (Number.isInteger(wanted) && wanted > 0 && data.length === wanted) return;
  throw invalidShape(
    `${op}: an image of ${height}x${width} with ${channels} channels needs ${wanted} values, ${data.length} were given`,
    "pass interleaved rows (height x width x channels)",
  );
}

/**
 * Throws `invalid-shape` unless there is one label per pixel, and `label-out-of-range` unless each is void or below
 * `numClasses`. With `extra`, checks the extra labels of that name instead, and `numClasses` is the number of their
 * classes.
 */
export function checkSample(op: string, sample: SegmentationSample, numClasses: number, extra?: string): void {
  checkImage(op, sample.image);
  const { height, width } = sample.image;
  const labels = extra === undefined ? sample.labels : (sample.more?.[extra] ?? new Uint8Array(0));
  const what = extra === undefined ? "" : ` in its extra labels "${extra}"`;
  if (labels.length !== height * width) {
    throw invalidShape(
      `${op}: sample "${sample.name}" is ${height}x${width} and needs ${height * width} labels${what}, ${labels.length} were given`,
      "give one label per pixel",
    );
  }
  const bad = labels.find((label) => label !== VOID_LABEL && label >= numClasses);
  if (bad === undefined) return;
  throw new TensorError({
    code: "label-out-of-range",
    message: `${op}: sample "${sample.name}" holds label ${bad}${what}, the net has ${numClasses} classes (0 to ${numClasses - 1})`,
    fix: `map the label to a class or to ${VOID_LABEL} (void)`,
  });
}

/** The names of the samples' extra labels. Throws `invalid-argument` if they differ between samples. */
export function extraLabelNames(op: string, samples: readonly SegmentationSample[]): readonly string[] {
  const namesOf = ({ more = {} }: SegmentationSample): string[] => Object.keys(more).sort();
  const [first] = samples;
  const names = first ? namesOf(first) : [];
  const odd = samples.find((sample) => namesOf(sample).join("\n") !== names.join("\n"));
  if (first === undefined || odd === undefined) return names;
  const list = (some: readonly string[]): string => some.map((name) => `"${name}"`).join(", ") || "none";
  throw invalidArgument(
    `${op}: sample "${odd.name}" has the extra labels ${list(namesOf(odd))}, but sample "${first.name}" has ${list(names)}`,
    `give all samples extra labels of the same names; use ${VOID_LABEL} (void) for every pixel of a sample without them`,
  );
}

/** The sample flipped left to right. */
export function mirrorSample(sample: SegmentationSample): SegmentationSample {
  const { image } = sample;
  return {
    ...mapLabels(sample, (labels) => mirrorRows(labels, image.width, 1)),
    image: { ...image, data: mirrorRows(image.data, image.width, image.channels) },
  };
}

/** Applies `change` to the labels of the sample and to all its extra labels. */
export function mapLabels(sample: SegmentationSample, change: (labels: Uint8Array) => Uint8Array): SegmentationSample {
  const { labels, more } = sample;
  if (more === undefined) return { ...sample, labels: change(labels) };
  const changed = Object.entries(more).map(([name, extra]) => [name, change(extra)] as const);
  return { ...sample, labels: change(labels), more: Object.fromEntries(changed) };
}

function mirrorRows<A extends Uint8Array | Float32Array>(data: A, width: number, channels: number): A {
  const out = data.slice() as A;
  for (let pixel = 0; pixel * channels < data.length; pixel++) {
    const column = pixel % width;
    const source = (pixel - column + (width - 1 - column)) * channels;
    for (let c = 0; c < channels; c++) out[pixel * channels + c] = data[source + c] as number;
  }
  return out;
}
