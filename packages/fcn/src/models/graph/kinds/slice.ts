import { slice as sliceOf } from "@fcn/tensor";
import { type Kind, ONE, stateless, unmoved } from "./kind.js";
import * as rule from "./rules.js";

/** Channels start to end - 1. */
export interface Slice {
  readonly kind: "slice";
  readonly start: number;
  readonly end: number;
}

export const slice: Kind<Slice> = {
  inputs: ONE,
  needed: { start: rule.whole(0, rule.LIMITS.channels), end: rule.channels },
  optional: {},
  fault: undefined,
  channels: ({ start, end }, [channels = 0], refuse) => {
    if (start >= 0 && start < end && end <= channels) return end - start;
    return refuse(
      `channels ${start} to ${end - 1} of an input that has ${channels}`,
      "choose 0 <= start < end <= channels",
    );
  },
  ...unmoved,
  scores: "passes",
  ...stateless,
  run: ({ start, end }, { x }) => sliceOf(x, [undefined, [start, end]]),
};
