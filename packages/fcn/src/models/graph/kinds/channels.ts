import { concat as concatOf, slice as sliceOf } from "@fcn/tensor";
import { type Kind, MANY, oneToOne, stateless } from "./kind.js";
import * as rule from "./rules.js";

/** Joins its inputs along the channels. */
export const concat: Kind<{ readonly kind: "concat" }> = {
  ...oneToOne,
  inputs: MANY,
  channels: (_, inputs) => inputs.reduce((sum, channels) => sum + channels, 0),
  scores: "neither",
  ...stateless,
  run: (_, { inputs }) => concatOf(inputs, { dim: 1 }),
};

/** Keeps channels start to end - 1. */
export const slice: Kind<{ readonly kind: "slice"; readonly start: number; readonly end: number }> = {
  ...oneToOne,
  needed: { start: rule.whole(0, rule.LIMITS.channels), end: rule.channels },
  fault: ({ start, end }, [channels = 0]) => {
    if (start >= 0 && start < end && end <= channels) return undefined;
    return [`channels ${start} to ${end - 1} of an input that has ${channels}`, "choose 0 <= start < end <= channels"];
  },
  channels: ({ start, end }) => end - start,
  scores: "passes",
  ...stateless,
  run: ({ start, end }, { x }) => sliceOf(x, [undefined, [start, end]]),
};
