import type { GraphBuilder } from "../graph/builder.js";
import type { LayerOf } from "../graph/kinds/index.js";
import type { Extent } from "../graph/plane/window.js";
import { convNorm } from "./convNorm.js";

/** A convolution and its window. Its name is appended to the block's. */
export type ConvStep = readonly [name: string, channels: number, kernelSize: Extent, window?: StepWindow];

export interface StepWindow {
  /** Default 1. */
  readonly stride?: number;
  /** Default: half the kernel on each side. */
  readonly padding?: Extent;
}

/** `split` ends a branch in several convolutions of the same input. */
export type Step = ConvStep | LayerOf<"maxPool"> | LayerOf<"avgPool"> | { readonly split: readonly ConvStep[] };

/** Appends a convolution with its norm and activation. */
export type AppendConv = (builder: GraphBuilder, name: string, step: ConvStep, input: string) => string;

/** torchvision's BasicConv2d: a convolution with normal initial values, batch norm and ReLU. */
export const basicConv =
  (deviation: number): AppendConv =>
  (builder, name, step, input) => {
    const layer = {
      channels: step[1],
      ...stepWindow(step),
      eps: 1e-3,
      activation: "relu",
      init: { deviation },
    } as const;
    return convNorm(builder, { conv: `${name}.conv`, norm: `${name}.bn` }, layer, input);
  };

const half = (kernel: Extent): Extent =>
  typeof kernel === "number" ? Math.floor(kernel / 2) : [Math.floor(kernel[0] / 2), Math.floor(kernel[1] / 2)];

/** The window of a step with its defaults filled in. */
export const stepWindow = ([, , kernelSize, { stride = 1, padding = half(kernelSize) } = {}]: ConvStep) => ({
  kernelSize,
  stride,
  padding,
});

/** Appends an inception block: branches from one input, concatenated along the channels under the block's name. */
export function inceptionBlock(
  builder: GraphBuilder,
  name: string,
  branches: readonly (readonly Step[])[],
  append: AppendConv,
  input: string,
): string {
  const convolve = (step: ConvStep, from: string): string => append(builder, `${name}${step[0]}`, step, from);
  const run = (step: Step, from: string, branch: number): string[] => {
    if ("split" in step) return step.split.map((end) => convolve(end, from));
    if ("kind" in step) return [builder.add(`${name}/pool${branch + 1}`, step, from)];
    return [convolve(step, from)];
  };
  const ends = branches.flatMap((steps, branch) =>
    steps.reduce<string[]>((last, step) => run(step, last[0] as string, branch), [input]),
  );
  return builder.add(name, { kind: "concat" }, ...ends);
}
