import type { WgslFunction } from "./functions.js";

/**
 * C's pow on scalars, as in PyTorch. WGSL's pow is inexact, undefined for negative bases, and differs between GPUs at
 * zero, infinity and NaN, so these cases are handled here. Small whole exponents are products. `powerSlope` is the
 * derivative by the exponent, a^b ln a.
 */
const SCALARS = `
fn isNanScalar(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }
fn powerOf(a: f32, b: f32) -> f32 {
  let nan = bitcast<f32>(p.nanBits);
  let infinity = bitcast<f32>(p.nanBits ^ 0x00400000u);
  if (isNanScalar(b)) { return select(nan, 1.0, a == 1.0 && !isNanScalar(a)); }
  if (b == 0.0) { return 1.0; }
  if (isNanScalar(a)) { return nan; }
  if (b == 1.0) { return a; }
  if (b == 2.0) { return a * a; }
  if (b == 3.0) { return a * a * a; }
  let size = abs(a);
  if (abs(b) == infinity) {
    if (size == 1.0) { return 1.0; }
    return select(0.0, infinity, (size > 1.0) == (b > 0.0));
  }
  // The sign bit, since a zero has one too: a negative base keeps its sign under an odd power.
  let negative = (bitcast<u32>(a) >> 31u) == 1u && abs(b - 2.0 * floor(b * 0.5)) == 1.0;
  if (size == 0.0 || size == infinity) {
    let limit = select(0.0, infinity, (size == infinity) == (b > 0.0));
    return select(limit, -limit, negative);
  }
  if (a < 0.0 && b != floor(b)) { return nan; }
  let value = pow(size, b);
  return select(value, -value, negative);
}
fn powerSlopeOf(a: f32, b: f32) -> f32 {
  if (a == 0.0) { return select(0.0, -bitcast<f32>(p.nanBits ^ 0x00400000u), b < 0.0); }
  if (a < 0.0) { return bitcast<f32>(p.nanBits); }
  return powerOf(a, b) * log(a);
}`;

/** WGSL functions `power` and `powerSlope`; they read the parameter `nanBits`. */
export const power: WgslFunction = {
  name: "power",
  text: (flat) =>
    SCALARS +
    ["power", "powerSlope"]
      .map((name) =>
        flat
          ? `
fn ${name}(a: vec4f, b: vec4f) -> vec4f {
  return vec4f(${["x", "y", "z", "w"].map((i) => `${name}Of(a.${i}, b.${i})`).join(", ")});
}`
          : `\nfn ${name}(a: f32, b: f32) -> f32 { return ${name}Of(a, b); }`,
      )
      .join(""),
};

/** C's pow in float64. It differs from JavaScript's, where 1 to the power NaN and -1 to an infinite power are NaN. */
export const powerReference = (a: number, b: number): number =>
  a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b;
