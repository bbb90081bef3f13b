import type { TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { add, div, equals, format, mul, neg, type Rational, rational, sub } from "./rational.js";

/**
 * Where a layer's pixels lie in the image, along one axis: input coordinate x falls on layer coordinate `scale * x +
 * shift`, in exact fractions. Source: Caffe's `coord_map.py`.
 */
export interface CoordinateMap {
  readonly scale: Rational;
  readonly shift: Rational;
}

export const identityMap: CoordinateMap = { scale: rational(1), shift: rational(0) };

/** Applies `inner`, then `outer`. */
export function composeMaps(outer: CoordinateMap, inner: CoordinateMap): CoordinateMap {
  return { scale: mul(outer.scale, inner.scale), shift: add(mul(outer.scale, inner.shift), outer.shift) };
}

export function inverseMap(map: CoordinateMap): CoordinateMap {
  return { scale: div(rational(1), map.scale), shift: neg(div(map.shift, map.scale)) };
}

/** The pixels of `map`, counted from pixel `offset`. */
export const cutMap = ({ scale, shift }: CoordinateMap, offset: number): CoordinateMap => ({
  scale,
  shift: sub(shift, rational(offset)),
});

export const mapsEqual = (a: CoordinateMap, b: CoordinateMap): boolean =>
  equals(a.scale, b.scale) && equals(a.shift, b.shift);

/** Formats a map, such as `1/32 x - 25/64`. */
export function formatMap(map: CoordinateMap): string {
  const shift = map.shift.num < 0 ? `- ${format(neg(map.shift))}` : `+ ${format(map.shift)}`;
  return `${format(map.scale)} x ${shift}`;
}

/**
 * The offset at which to cut `source` so that its pixels fall on those of `reference`. Throws `invalid-argument` unless
 * both have the same scale and the offset is an integer of at least 0.
 */
export function cropOffset(source: CoordinateMap, reference: CoordinateMap, where: string): number {
  const scale = div(source.scale, reference.scale);
  const offset = sub(source.shift, reference.shift);
  if (!equals(scale, rational(1))) {
    throw cropError(where, `the scale is ${format(scale)}, but it must be 1`, "upsample by the factor that is missing");
  }
  if (offset.den !== 1) {
    const remedy = "change a kernel size by one or a padding so that the centres meet";
    throw cropError(where, `the offset is ${format(offset)}, but it must be an integer`, remedy);
  }
  if (offset.num < 0) {
    const remedy = `raise the padding of the first convolution by at least ${-offset.num}, or lower that of the upsampling`;
    throw cropError(where, `the offset is ${offset.num}, but it must not be negative`, remedy);
  }
  return offset.num;
}

function cropError(where: string, problem: string, fix: string): TensorError {
  return invalidArgument(`crop ${where}: ${problem}`, fix);
}
