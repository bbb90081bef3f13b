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
  /** Extra label maps of the image by name, for nets with several heads (SIFT Flow: "geometric"). */
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
 * `numClasses`. With `map`, checks that extra label map instead, and `numClasses` is the number of its classes.
 */
export function checkSample(op: string, sample: SegmentationSample, numClasses: number, map?: string): void {
  checkImage(op, sample.image);
  const { height, width } = sample.image;
  const labels = map === undefined ? sample.labels : (sample.more?.[map] ?? new Uint8Array(0));
  const what = map === undefined ? "" : ` in its map "${map}"`;
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

/** The names of the samples' extra label maps. Throws `invalid-argument` if they differ between samples. */
export function furtherMaps(op: string, samples: readonly SegmentationSample[]): readonly string[] {
  const mapsOf = ({ more = {} }: SegmentationSample): string[] => Object.keys(more).sort();
  const [first] = samples;
  const maps = first ? mapsOf(first) : [];
  const odd = samples.find((sample) => mapsOf(sample).join("\n") !== maps.join("\n"));
  if (first === undefined || odd === undefined) return maps;
  const list = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(", ") || "none";
  throw invalidArgument(
    `${op}: sample "${odd.name}" has the extra label maps ${list(mapsOf(odd))}, but sample "${first.name}" has ${list(maps)}`,
    `give all samples the same maps; one that is all ${VOID_LABEL} (void) where there are no labels`,
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

/** Applies `change` to the label map of the sample and to each extra one. */
export function mapLabels(sample: SegmentationSample, change: (labels: Uint8Array) => Uint8Array): SegmentationSample {
  const { labels, more } = sample;
  if (more === undefined) return { ...sample, labels: change(labels) };
  const changed = Object.entries(more).map(([name, map]) => [name, change(map)] as const);
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
