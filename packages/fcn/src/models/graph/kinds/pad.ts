import { pad as padOf } from "@fcn/tensor";
import { rational } from "../plane/rational.js";
import { type Padding, paddingAlong } from "../plane/window.js";
import { type Kind, oneToOne, stateless } from "./kind.js";
import * as rule from "./rules.js";
import { grownPadding, paddingOf } from "./slidingWindow.js";

/** Zeros around the image. */
export const pad: Kind<{ readonly kind: "pad"; readonly padding: Exclude<Padding, "same"> }> = {
  ...oneToOne,
  needed: { padding: rule.sides },
  size: (layer, axis, size) => paddingAlong(layer, axis).reduce((sum, side) => sum + side, size),
  map: (layer, axis) => ({ scale: rational(1), shift: rational(paddingAlong(layer, axis)[0]) }),
  taps: (layer, { axis }) => {
    const [before] = paddingAlong(layer, axis);
    return (x) => [x - before, x - before];
  },
  dilate: (layer, rate) => ({ ...layer, padding: grownPadding(layer, rate) }),
  scores: "passes",
  ...stateless,
  run: (layer, { x }) => padOf(x, [[0, 0], [0, 0], ...paddingOf(layer, x)]),
};
