import {
  add as addOf,
  hardsigmoid as hardsigmoidOf,
  hardswish as hardswishOf,
  maximum,
  mul,
  nn,
  relu6 as relu6Of,
  relu as reluOf,
  sigmoid as sigmoidOf,
  type Tensor,
} from "@fcn/tensor";
import { type Fault, type Kind, MANY, oneToOne, runModule, stateless } from "./kind.js";
import * as rule from "./rules.js";

const activation = { ...oneToOne, ...stateless, scores: "neither" } as const;

export const relu: Kind<{ readonly kind: "relu" }> = { ...activation, run: (_, { x }) => reluOf(x) };
export const relu6: Kind<{ readonly kind: "relu6" }> = { ...activation, run: (_, { x }) => relu6Of(x) };
/** x min(max(x + 3, 0), 6) / 6. */
export const hardswish: Kind<{ readonly kind: "hardswish" }> = { ...activation, run: (_, { x }) => hardswishOf(x) };
/** min(max(x + 3, 0), 6) / 6. */
export const hardsigmoid: Kind<{ readonly kind: "hardsigmoid" }> = {
  ...activation,
  run: (_, { x }) => hardsigmoidOf(x),
};
export const sigmoid: Kind<{ readonly kind: "sigmoid" }> = { ...activation, run: (_, { x }) => sigmoidOf(x) };

/** Drops single values, or whole channels. */
export const dropout: Kind<{ readonly kind: "dropout"; readonly p: number; readonly channelwise?: boolean }> = {
  ...oneToOne,
  needed: { p: rule.from(0, 1) },
  optional: { channelwise: rule.boolean },
  scores: "passes",
  ...stateless,
  build: ({ p, channelwise = false }, { seed }) => new (channelwise ? nn.Dropout2d : nn.Dropout)({ p, seed }),
  run: runModule,
};

export const scale: Kind<{ readonly kind: "scale"; readonly factor: number }> = {
  ...oneToOne,
  needed: { factor: rule.finite },
  scores: "passes",
  ...stateless,
  run: ({ factor }, { x }) => mul(x, factor),
};

const fusion = {
  ...oneToOne,
  inputs: MANY,
  fault: (_: object, inputs: readonly number[]): Fault | undefined => {
    if (inputs.every((channels) => channels === inputs[0])) return undefined;
    const problem = `its inputs have ${inputs.join(" and ")} channels, but must have the same number`;
    return [problem, "put a 1x1 convolution before it"];
  },
  scores: "passes",
  ...stateless,
} as const;

/** Element-wise sum of its inputs. */
export const add: Kind<{ readonly kind: "add" }> = {
  ...fusion,
  run: (_, { inputs }) => inputs.reduce((a, b) => addOf(a, b)),
};

/** Element-wise maximum of its inputs. */
export const max: Kind<{ readonly kind: "max" }> = {
  ...fusion,
  run: (_, { inputs }) => inputs.reduce((a, b) => maximum(a, b)),
};

/**
 * The first input times the second, which holds one value a channel for the whole image, as an average over it gives:
 * the end of squeeze-and-excitation.
 */
export const gate: Kind<{ readonly kind: "gate" }> = {
  ...fusion,
  inputs: [2, 2],
  fault: (layer, inputs) =>
    inputs.length === 2
      ? fusion.fault(layer, inputs)
      : [`it has ${inputs.length} of the two inputs that it needs`, "give it the features and their factors"],
  others: "everywhere",
  isGlobal: true,
  scores: "neither",
  run: (_, { x, inputs }) => mul(x, inputs[1] as Tensor),
};
