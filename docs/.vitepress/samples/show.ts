import type { Tensor } from "@fcn/tensor";
import inspect from "object-inspect";

/** Pixels as `ImageData` takes them: RGBA. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
}

/** What a page shows of values: a line of text, and a picture of each that is an image. */
export interface Shown {
  readonly text: string;
  readonly pictures: readonly Picture[];
}

/** With more pixels a picture is left out. */
const MOST_PIXELS = 4096 * 4096;

/** Channels and sizes of a tensor that is an image: [H, W], [1 | 3, H, W], or such behind dims of size 1. */
function imageOf(shape: readonly number[]): { channels: 1 | 3; height: number; width: number } | undefined {
  const first = shape.findIndex((size) => size !== 1);
  const sizes = shape.slice(Math.max(0, Math.min(first, shape.length - 2)));
  const [channels, height, width] = sizes.length === 2 ? [1, ...sizes] : sizes;
  if (sizes.length > 3 || (channels !== 1 && channels !== 3) || !height || !width) return undefined;
  if (height < 2 || width < 2 || height * width > MOST_PIXELS) return undefined;
  return { channels, height, width };
}

/** Labels in the colours of a palette, floats from their least (black) to their largest (white); NaN is transparent. */
async function pictureOf(values: Float32Array | Int32Array, shape: readonly number[]): Promise<Picture | undefined> {
  const image = imageOf(shape);
  if (!image) return undefined;
  const { channels, height, width } = image;
  const count = height * width;
  const pixels = new Uint8ClampedArray(4 * count);
  if (values instanceof Int32Array) {
    if (channels !== 1) return undefined;
    const { label2image } = await import("@fcn/core");
    const { data } = label2image({ labels: values, height, width });
    for (let i = 0; i < count; i++) pixels.set([data[3 * i]!, data[3 * i + 1]!, data[3 * i + 2]!, 255], 4 * i);
    return { width, height, pixels };
  }
  let [least, largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (Number.isFinite(value)) [least, largest] = [Math.min(least, value), Math.max(largest, value)];
  }
  const scale = largest > least ? 255 / (largest - least) : 0;
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 3; c++) pixels[4 * i + c] = (values[i + (channels === 3 ? c * count : 0)]! - least) * scale;
    pixels[4 * i + 3] = Number.isNaN(values[i]) ? 0 : 255;
  }
  return { width, height, pixels };
}

const isTensor = (value: unknown): value is Tensor =>
  typeof value === "object" && value !== null && "shape" in value && "show" in value && "dtype" in value;

/** Numbers of a typed array that are written out. */
const MOST_NUMBERS = 100;

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (!ArrayBuffer.isView(value) || value instanceof DataView) return inspect(value, { depth: 4 });
  const numbers = value as unknown as ArrayLike<number>;
  const some = Array.from({ length: Math.min(numbers.length, MOST_NUMBERS) }, (_, i) => numbers[i]);
  const more = numbers.length > MOST_NUMBERS ? [`... ${numbers.length - MOST_NUMBERS} more`] : [];
  return `${value.constructor.name}(${numbers.length}) [ ${[...some, ...more].join(", ")} ]`;
}

/** What to show of the arguments of `console.log`. Reading begins at once, so that tensors may be freed afterwards. */
export async function show(values: readonly unknown[]): Promise<Shown> {
  const parts = await Promise.all(
    values.map(async (value) => {
      if (!isTensor(value)) return { text: textOf(value) };
      const { shape } = value;
      const [text, data] = await Promise.all([value.show(), value.data()]);
      return { text, picture: await pictureOf(data, shape) };
    }),
  );
  return { text: parts.map(({ text }) => text).join(" "), pictures: parts.flatMap(({ picture }) => picture ?? []) };
}
