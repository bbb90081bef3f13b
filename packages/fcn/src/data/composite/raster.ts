import { TensorError } from "@fcn/tensor";

/** A picture with transparency: interleaved rows of red, green, blue and alpha, 0 to 255, colours not multiplied by alpha. */
export interface RgbaImage {
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/** Throws unless `data` holds height x width x 4 values. */
export function checkRgba(op: string, name: string, { data, height, width }: RgbaImage): void {
  if (height >= 1 && width >= 1 && data.length === height * width * 4) return;
  throw new TensorError({
    code: "invalid-shape",
    message: `${op}: ${name} is ${height}x${width} and needs ${height * width * 4} values (RGBA), ${data.length} were given`,
    fix: "pass interleaved rows of red, green, blue, alpha",
  });
}

/** One texel with its colour multiplied by alpha, as filters need it: red, green, blue and alpha from 0 to 255. */
type Premultiplied = Float32Array;

/** The same picture at full size and, again and again, at half of it, so that any reduction is smooth. Built level by level on demand. */
export class Pyramid {
  readonly #levels: { readonly data: Premultiplied; readonly height: number; readonly width: number }[];

  constructor(image: RgbaImage) {
    this.#levels = [{ ...image, data: premultiply(image.data) }];
  }

  /**
   * Writes the bilinear value at (x, y) into `out`: coordinates of the full-size picture in pixels, the first centre at 0.5. `reduction` is how
   * many pixels of the picture fall on one of the result; outside the picture everything is transparent.
   */
  sample(x: number, y: number, reduction: number, out: Float32Array): void {
    const wanted = Math.max(0, Math.round(Math.log2(Math.max(1, reduction))));
    const index = Math.min(wanted, this.#deepest(wanted));
    const level = this.#levels[index]!;
    const factor = 2 ** -index;
    bilinear(level, x * factor - 0.5, y * factor - 0.5, out);
  }

  /** Makes levels up to `wanted`, as far as halving goes; answers the last one. */
  #deepest(wanted: number): number {
    for (let last = this.#levels.at(-1)!; this.#levels.length <= wanted; last = this.#levels.at(-1)!) {
      if (last.height < 2 || last.width < 2) break;
      this.#levels.push(halve(last));
    }
    return this.#levels.length - 1;
  }
}

interface Level {
  readonly data: Premultiplied;
  readonly height: number;
  readonly width: number;
}

function premultiply(data: Uint8Array): Premultiplied {
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3]! / 255;
    for (let c = 0; c < 3; c++) out[i + c] = data[i + c]! * alpha;
    out[i + 3] = data[i + 3]!;
  }
  return out;
}

/** Means of 2x2 pixels; an odd last row or column is dropped. */
function halve({ data, width, height }: Level): Level {
  const half = { width: width >> 1, height: height >> 1 };
  const out = new Float32Array(half.width * half.height * 4);
  for (let y = 0; y < half.height; y++) {
    for (let x = 0; x < half.width; x++) {
      const at = (2 * y * width + 2 * x) * 4;
      const to = (y * half.width + x) * 4;
      for (let c = 0; c < 4; c++) {
        out[to + c] =
          (data[at + c]! + data[at + 4 + c]! + data[at + width * 4 + c]! + data[at + width * 4 + 4 + c]!) / 4;
      }
    }
  }
  return { ...half, data: out };
}

function bilinear({ data, width, height }: Level, x: number, y: number, out: Float32Array): void {
  out.fill(0);
  const left = Math.floor(x);
  const top = Math.floor(y);
  for (let row = top; row <= top + 1; row++) {
    for (let column = left; column <= left + 1; column++) {
      if (row < 0 || column < 0 || row >= height || column >= width) continue;
      const share = (1 - Math.abs(x - column)) * (1 - Math.abs(y - row));
      const at = (row * width + column) * 4;
      for (let c = 0; c < 4; c++) out[c] = out[c]! + share * data[at + c]!;
    }
  }
}
