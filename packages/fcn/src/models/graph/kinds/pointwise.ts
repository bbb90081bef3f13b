import { add as addOf, maximum, mul, nn, relu6 as relu6Of, relu as reluOf } from "@fcn/tensor";
import { type Fault, type Kind, MANY, oneToOne, runModule, stateless } from "./kind.js";
import * as rule from "./rules.js";

const activation = { ...oneToOne, ...stateless, scores: "neither" } as const;

export const relu: Kind<{ readonly kind: "relu" }> = { ...activation, run: (_, { x }) => reluOf(x) };
export const relu6: Kind<{ readonly kind: "relu6" }> = { ...activation, run: (_, { x }) => relu6Of(x) };

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
