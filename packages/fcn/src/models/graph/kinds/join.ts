import { add as addOf, concat as concatOf, maximum } from "@fcn/tensor";
import { type Kind, MANY, stateless, unmoved } from "./kind.js";

/** Element-wise sum of its inputs. */
export interface Add {
  readonly kind: "add";
}

/** Element-wise maximum of its inputs. */
export interface Max {
  readonly kind: "max";
}

/** Its inputs one after the other along the channels. */
export interface Concat {
  readonly kind: "concat";
}

const join = { inputs: MANY, needed: {}, optional: {}, fault: undefined, ...unmoved, ...stateless } as const;

const equalChannels: Kind<{ readonly kind: string }>["channels"] = (_, inputs, refuse) => {
  const [first = 0] = inputs;
  if (inputs.every((channels) => channels === first)) return first;
  return refuse(
    `its inputs have ${inputs.join(" and ")} channels, but must have the same number`,
    "put a 1x1 convolution before it",
  );
};

export const add: Kind<Add> = {
  ...join,
  channels: equalChannels,
  scores: "passes",
  run: (_, { inputs }) => inputs.reduce((a, b) => addOf(a, b)),
};

export const max: Kind<Max> = {
  ...join,
  channels: equalChannels,
  scores: "passes",
  run: (_, { inputs }) => inputs.reduce((a, b) => maximum(a, b)),
};

export const concat: Kind<Concat> = {
  ...join,
  channels: (_, inputs) => inputs.reduce((sum, channels) => sum + channels, 0),
  scores: "neither",
  run: (_, { inputs }) => concatOf(inputs, { dim: 1 }),
};
