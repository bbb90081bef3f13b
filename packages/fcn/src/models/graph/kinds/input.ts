import { type Kind, stateless, unmoved } from "./kind.js";
import * as rule from "./rules.js";

/** The image that enters the net. */
export const input: Kind<{ readonly kind: "input"; readonly channels: number }> = {
  inputs: [0, 0],
  needed: { channels: rule.channels },
  optional: {},
  fault: undefined,
  channels: ({ channels }) => channels,
  ...unmoved,
  scores: "neither",
  ...stateless,
  run: (_, { x }) => x,
};
