import { showValue } from "@fcn/tensor/internal";

/** A number, or a text that is one in decimal digits ("375", "-1.5e3"); undefined for anything else. */
export function numberOf(value: unknown): number | undefined {
  const isText = typeof value === "string" && /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(value);
  const number = isText ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** A value of a file as messages show it, cut short. */
export function shownValue(value: unknown): string {
  return value === undefined ? "nothing" : showValue(value, 40);
}

/** The nearest whole number, of two equally near the even one, as NumPy's `round`. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest === 0.5) return floor % 2 === 0 ? floor : floor + 1;
  return rest < 0.5 ? floor : floor + 1;
}

/** Height and width of an image as a file states them; a side that it does not state, or states as 0, is absent. */
export interface StatedSize {
  readonly height?: number;
  readonly width?: number;
}

/** Undefined where a side is stated that is no whole number of pixels. */
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
