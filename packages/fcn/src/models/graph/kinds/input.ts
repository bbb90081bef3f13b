import { type Kind, oneToOne, stateless } from "./kind.js";
import * as rule from "./rules.js";

/** The image that enters the net. */
export const input: Kind<{ readonly kind: "input"; readonly channels: number }> = {
  ...oneToOne,
  inputs: [0, 0],
  needed: { channels: rule.channels },
  channels: ({ channels }) => channels,
  scores: "neither",
  ...stateless,
  run: (_, { x }) => x,
};
