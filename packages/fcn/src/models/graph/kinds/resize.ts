import { interpolate, interpolateRule } from "@fcn/tensor";
import { rational } from "../plane/rational.js";
import { CUT_UPSAMPLING, type Kind, oneToOne, samePlane, stateless, type Taps } from "./kind.js";
import * as rule from "./rules.js";

/**
 * Resamples to the height and width of the second input and takes over its place in the image. The shift between the
 * two is ignored, as in the nets that are built this way. Without a second input, it enlarges by the whole number
 * `scaleFactor`, aligned by pixel areas.
 */
export type Resize =
  | { readonly kind: "resize"; readonly mode: "nearest" | "bilinear"; readonly alignCorners?: boolean }
  | { readonly kind: "resize"; readonly mode: "nearest" | "bilinear"; readonly scaleFactor: number };

export const resize: Kind<Resize> = {
  ...oneToOne,
  inputs: [1, 2],
  needed: { mode: rule.oneOf("nearest", "bilinear") },
  optional: { alignCorners: rule.boolean, scaleFactor: rule.whole(1, rule.LIMITS.extent) },
  fault: (layer, inputs) =>
    (inputs.length === 2) === "scaleFactor" in layer
      ? ["it takes either a scaleFactor or the size of a second input", "give it one of the two"]
      : undefined,
  others: "reference",
  size: (layer, _, size) => ("scaleFactor" in layer ? size * layer.scaleFactor : size),
  map: (layer) => {
    if (!("scaleFactor" in layer)) return "reference";
    // Pixel areas coincide: y + 1/2 = factor (x + 1/2).
    return { scale: rational(layer.scaleFactor), shift: rational(layer.scaleFactor - 1, 2) };
  },
  taps: (layer, { from, to }) => tapsOf(layer, from, to),
  upsampling: (layer, _, from, to) => {
    const isLarger = to[0] >= from[0] && to[1] >= from[1] && to[0] * to[1] > from[0] * from[1];
    if (layer.mode !== "bilinear" || !isLarger) return undefined;
    return interpolateRule(from, { size: to, alignCorners: "alignCorners" in layer && layer.alignCorners === true });
  },
  width: ({ mode }) => (mode === "bilinear" ? 2 : 1),
  dilate: (layer) => ("scaleFactor" in layer ? CUT_UPSAMPLING : layer),
  scores: "passes",
  ...stateless,
  run: (layer, { x, inputs: [, reference] }) => {
    const { mode } = layer;
    if ("scaleFactor" in layer) return interpolate(x, { scaleFactor: layer.scaleFactor, mode });
    if (reference === undefined || samePlane(x, reference)) return x;
    return interpolate(x, { size: reference.shape.slice(2), mode, alignCorners: layer.alignCorners ?? false });
  },
};

function tapsOf(layer: Resize, from: number, to: number): Taps {
  if (from === to) return (x) => [x, x];
  const scale = from / to;
  if (layer.mode === "nearest") return (x) => [Math.floor(x * scale), Math.floor(x * scale)];
  const corners = "alignCorners" in layer && layer.alignCorners === true;
  return (x) => {
    const at = corners ? (x * (from - 1)) / Math.max(1, to - 1) : Math.max(0, (x + 0.5) * scale - 0.5);
    return [Math.floor(at), Math.ceil(at)];
  };
}
