import type { GraphBuilder } from "../graph/builder.js";
import type { Window } from "../graph/spec.js";
import type { Backbone } from "./backbone.js";

/** Names of the top-level modules of a ResNet, which differ between the ports. */
export interface ResNetNames {
  readonly conv1: string;
  readonly bn1: string;
  readonly relu: string;
  readonly maxpool: string;
  /** Stages 1 to 4. */
  readonly layers: readonly [string, string, string, string];
}

/** The position of each module in `nn.Sequential(*list(resnet.children())[:-2])`. */
export const SEQUENTIAL_NAMES: ResNetNames = {
  conv1: "0",
  bn1: "1",
  relu: "2",
  maxpool: "3",
  layers: ["4", "5", "6", "7"],
};

/** ResNet of basic blocks (two 3x3 convolutions), without average pool and classifier; `blocks` [2, 2, 2, 2] is ResNet-18. */
export interface BasicResNetSpec {
  readonly blocks: readonly [number, number, number, number];
  /** Channels of the stem and stage 1; they double from stage to stage. */
  readonly width: number;
  readonly names: ResNetNames;
}

/** Appends the trunk behind `input`, as in torchvision: stem 7x7/2 and max-pool 3/2, then four stages, strides 4, 8, 16, 32. */
export function basicResNetBackbone(builder: GraphBuilder, input: string, spec: BasicResNetSpec): Backbone {
  const { names } = spec;
  const stem = convNorm(builder, names.conv1, names.bn1, spec.width, { kernelSize: 7, stride: 2, padding: 3 }, input);
  const active = builder.add(names.relu, { kind: "relu" }, stem);
  let last = builder.add(names.maxpool, { kind: "maxPool", kernelSize: 3, stride: 2, padding: 1 }, active);
  let channels = spec.width;
  const stages: Record<string, string> = {};
  spec.blocks.forEach((count, s) => {
    const outChannels = spec.width * 2 ** s;
    for (let b = 0; b < count; b++) {
      const stride = s > 0 && b === 0 ? 2 : 1;
      last = basicBlock(
        builder,
        `${names.layers[s]}.${b}`,
        outChannels,
        stride,
        stride > 1 || outChannels !== channels,
        last,
      );
      channels = outChannels;
    }
    stages[`layer${s + 1}`] = last;
  });
  return { stages, top: last };
}

function basicBlock(
  builder: GraphBuilder,
  name: string,
  channels: number,
  stride: number,
  project: boolean,
  input: string,
): string {
  const first = convNorm(
    builder,
    `${name}.conv1`,
    `${name}.bn1`,
    channels,
    { kernelSize: 3, stride, padding: 1 },
    input,
  );
  const active = builder.add(`${name}.relu1`, { kind: "relu" }, first);
  const second = convNorm(builder, `${name}.conv2`, `${name}.bn2`, channels, { kernelSize: 3, padding: 1 }, active);
  const shortcut = project
    ? convNorm(builder, `${name}.downsample.0`, `${name}.downsample.1`, channels, { kernelSize: 1, stride }, input)
    : input;
  const sum = builder.add(`${name}.add`, { kind: "add" }, second, shortcut);
  return builder.add(`${name}.relu2`, { kind: "relu" }, sum);
}

function convNorm(
  builder: GraphBuilder,
  conv: string,
  norm: string,
  channels: number,
  window: Window,
  input: string,
): string {
  const out = builder.add(
    conv,
    { kind: "conv", outChannels: channels, ...window, bias: false, init: "kaiming" },
    input,
  );
  return builder.add(norm, { kind: "batchNorm" }, out);
}
