import { TensorError } from "@fcn/tensor";

/**
 * An image with transparency: interleaved rows of red, green, blue and alpha, 0 to 255, with colours not premultiplied.
 */
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

/**
 * An image at one size. Colours are as in the image if `straight`, otherwise premultiplied by alpha, as filters need.
 */
interface Level {
  readonly data: Uint8Array | Float32Array;
  readonly height: number;
  readonly width: number;
  readonly straight: boolean;
}

/** An image at full size and repeatedly halved, so that any reduction is smooth. Levels are built on demand. */
export class Pyramid {
  readonly #levels: Level[];

  constructor(image: RgbaImage) {
    this.#levels = [{ ...image, straight: true }];
  }

  /**
   * Writes the bilinear value at (x, y) into `out`, with the colour premultiplied by alpha. Coordinates are pixels of
   * the full-size image, whose first centre is 0.5; `reduction` is the number of image pixels per pixel of the result.
   * Outside the image everything is transparent.
   */
  sample(x: number, y: number, reduction: number, out: Float32Array): void {
    const wanted = Math.max(0, Math.round(Math.log2(Math.max(1, reduction))));
    const index = Math.min(wanted, this.#deepest(wanted));
    const level = this.#levels[index]!;
    const factor = 2 ** -index;
    bilinear(level, x * factor - 0.5, y * factor - 0.5, out);
  }

  /** Builds levels up to `wanted`, as far as halving is possible, and returns the last one. */
  #deepest(wanted: number): number {
    for (let last = this.#levels.at(-1)!; this.#levels.length <= wanted; last = this.#levels.at(-1)!) {
      if (last.height < 2 || last.width < 2) break;
      this.#levels.push(halve(last));
    }
    return this.#levels.length - 1;
  }
}

/** Adds `share` of the pixel at `at` to `out` at `to`. */
function accumulate({ data, straight }: Level, at: number, share: number, out: Float32Array, to: number): void {
  const colour = straight ? (share * data[at + 3]!) / 255 : share;
  for (let c = 0; c < 3; c++) out[to + c] = out[to + c]! + colour * data[at + c]!;
  out[to + 3] = out[to + 3]! + share * data[at + 3]!;
}

/** Averages 2x2 pixels; an odd last row or column is dropped. */
function halve(level: Level): Level {
  const half = { width: level.width >> 1, height: level.height >> 1 };
  const out = new Float32Array(half.width * half.height * 4);
  for (let y = 0; y < 2 * half.height; y++) {
    for (let x = 0; x < 2 * half.width; x++) {
      accumulate(level, (y * level.width + x) * 4, 0.25, out, ((y >> 1) * half.width + (x >> 1)) * 4);
    }
  }
  return { ...half, data: out, straight: false };
}

function bilinear(level: Level, x: number, y: number, out: Float32Array): void {
  out.fill(0);
  const left = Math.floor(x);
  const top = Math.floor(y);
  for (let row = top; row <= top + 1; row++) {
    for (let column = left; column <= left + 1; column++) {
      if (row < 0 || column < 0 || row >= level.height || column >= level.width) continue;
      const share = (1 - Math.abs(x - column)) * (1 - Math.abs(y - row));
      accumulate(level, (row * level.width + column) * 4, share, out, 0);
    }
  }
}
