import { type Kind, stateless, unmoved } from "./kind.js";
import * as rule from "./rules.js";

/** The image that goes in. */
export interface Input {
  readonly kind: "input";
  readonly channels: number;
}

export const input: Kind<Input> = {
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
