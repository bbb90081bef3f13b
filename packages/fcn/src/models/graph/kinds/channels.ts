import { concat as concatOf, slice as sliceOf } from "@fcn/tensor";
import { type Kind, MANY, ONE, stateless, unmoved } from "./kind.js";
import * as rule from "./rules.js";

/** Joins its inputs along the channels. */
export const concat: Kind<{ readonly kind: "concat" }> = {
  inputs: MANY,
  needed: {},
  optional: {},
  fault: undefined,
  channels: (_, inputs) => inputs.reduce((sum, channels) => sum + channels, 0),
  ...unmoved,
  scores: "neither",
  ...stateless,
  run: (_, { inputs }) => concatOf(inputs, { dim: 1 }),
};

/** Keeps channels start to end - 1. */
export const slice: Kind<{ readonly kind: "slice"; readonly start: number; readonly end: number }> = {
  inputs: ONE,
  needed: { start: rule.whole(0, rule.LIMITS.channels), end: rule.channels },
  optional: {},
  fault: undefined,
  channels: ({ start, end }, [channels = 0], refuse) => {
    if (start >= 0 && start < end && end <= channels) return end - start;
    const problem = `channels ${start} to ${end - 1} of an input that has ${channels}`;
    return refuse(problem, "choose 0 <= start < end <= channels");
  },
  ...unmoved,
  scores: "passes",
  ...stateless,
  run: ({ start, end }, { x }) => sliceOf(x, [undefined, [start, end]]),
};
