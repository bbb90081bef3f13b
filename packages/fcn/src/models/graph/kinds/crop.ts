import { type CropOptions, crop as cropOf, type Tensor } from "@fcn/tensor";
import { cropOffset } from "../plane/coordinateMap.js";
import { type Kind, oneToOne, type RunContext, samePlane, stateless } from "./kind.js";
import * as rule from "./rules.js";

/** Cuts the first input to the height and width of the second, at the offset that aligns their pixels. */
export interface Crop {
  readonly kind: "crop";
  /** `topLeft` cuts at 0 whatever the coordinates say, for nets that were published misaligned. */
  readonly align?: "coordinates" | "topLeft";
}

export const crop: Kind<Crop> = {
  ...oneToOne,
  inputs: [2, 2],
  optional: { align: rule.oneOf("coordinates", "topLeft") },
  others: "reference",
  offset: ({ align }, source, reference, name) => (align === "topLeft" ? 0 : cropOffset(source, reference, name)),
  taps:
    (_, { offset }) =>
    (x) => [x + offset, x + offset],
  scores: "passes",
  ...stateless,
  run: (_, { x, inputs: [, reference = x], offset }) => {
    const box = boxOf(offset, reference);
    return box.top === 0 && box.left === 0 && samePlane(x, reference) ? x : cropOf(x, box);
  },
};

/** What a crop at `offset` to the height and width of `reference` keeps. */
export function boxOf([top, left]: RunContext["offset"], { shape }: Tensor): CropOptions {
  const [height, width] = shape.slice(2) as [number, number];
  return { top, left, height, width };
}
