import { showValue } from "@fcn/tensor/internal";

/** The value of a number, or of a string in decimal digits ("375", "-1.5e3"); undefined for anything else. */
export function numberOf(value: unknown): number | undefined {
  const isText = typeof value === "string" && /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(value);
  const number = isText ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** A value quoted from a file for a message, shortened. */
export function shownValue(value: unknown): string {
  return value === undefined ? "nothing" : showValue(value, 40);
}

/** Rounds to the nearest whole number, and halves to the even one, like NumPy's `round`. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest === 0.5) return floor % 2 === 0 ? floor : floor + 1;
  return rest < 0.5 ? floor : floor + 1;
}

/** Height and width of an image as declared by a file; a side that is missing or declared as 0 is absent. */
export interface StatedSize {
  readonly height?: number;
  readonly width?: number;
}

/** Undefined if a declared side is not a whole number of pixels, or the image exceeds `mostPixels`. */
export function statedSize(height: unknown, width: unknown, mostPixels: number): StatedSize | undefined {
  const sides = [height, width].map((side) => {
    return side === undefined || side === null || side === "" ? 0 : numberOf(side);
  });
  const isSide = (side: number | undefined): boolean => side !== undefined && Number.isInteger(side) && side >= 0;
  if (!sides.every(isSide)) return undefined;
  const [h, w] = sides as [number, number];
  if (Math.max(1, h) * Math.max(1, w) > mostPixels) return undefined;
  return { ...(h > 0 ? { height: h } : {}), ...(w > 0 ? { width: w } : {}) };
}
