import type { GraphBuilder } from "../graph/builder.js";
import type { Backbone } from "./backbone.js";
import { convNorm } from "./convNorm.js";

/** Names of the top-level modules of a ResNet, which differ from port to port. */
export interface ResNetNames {
  readonly conv1: string;
  readonly bn1: string;
  readonly relu: string;
  readonly maxpool: string;
  /** Stages 1 to 4. */
  readonly layers: readonly [string, string, string, string];
}

/** Each module's position in `nn.Sequential(*list(resnet.children())[:-2])`. */
export const SEQUENTIAL_NAMES: ResNetNames = {
  conv1: "0",
  bn1: "1",
  relu: "2",
  maxpool: "3",
  layers: ["4", "5", "6", "7"],
};

/** torchvision's names with a prefix such as `backbone.`. */
export const torchvisionNames = (prefix: string): ResNetNames => ({
  conv1: `${prefix}conv1`,
  bn1: `${prefix}bn1`,
  relu: `${prefix}relu`,
  maxpool: `${prefix}maxpool`,
  layers: [`${prefix}layer1`, `${prefix}layer2`, `${prefix}layer3`, `${prefix}layer4`],
});

/** The kind of block and the number of blocks in each stage. */
export const RESNETS = {
  resnet18: { block: "basic", blocks: [2, 2, 2, 2] },
  resnet34: { block: "basic", blocks: [3, 4, 6, 3] },
  resnet50: { block: "bottleneck", blocks: [3, 4, 6, 3] },
  resnet101: { block: "bottleneck", blocks: [3, 4, 23, 3] },
} as const satisfies Record<string, Pick<ResNetSpec, "block" | "blocks">>;

/** A ResNet without its average pool and classifier. */
export interface ResNetSpec {
  /**
   * `basic` is two 3x3 convolutions. `bottleneck` is 1x1, 3x3 and 1x1 to four times the width, with the stride in the
   * 3x3 (version 1.5).
   */
  readonly block: "basic" | "bottleneck";
  readonly blocks: readonly [number, number, number, number];
  /** Channels of the stem and of the 3x3 convolutions of stage 1; they double from stage to stage. */
  readonly width: number;
  readonly names: ResNetNames;
  /** Padding of the stem. Default 3. */
  readonly padding?: number;
  /** Whether stages 2, 3 and 4 dilate instead of halving the resolution. Default: none does. */
  readonly replaceStrideWithDilation?: readonly [boolean, boolean, boolean];
}

interface Block {
  readonly name: string;
  readonly width: number;
  readonly outChannels: number;
  readonly stride: number;
  readonly dilation: number;
  /** Whether the shortcut needs a 1x1 convolution to match the branch. */
  readonly project: boolean;
}

const EXPANSION = { basic: 1, bottleneck: 4 } as const;

/**
 * Appends the backbone after `input`, as in torchvision: stem 7x7/2 and max-pool 3/2, then four stages, layer1 to
 * layer4, at strides 4, 8, 16 and 32. Every strided layer is padded so that cell i of stride s lies on pixel s i.
 */
export function resNetBackbone(builder: GraphBuilder, input: string, spec: ResNetSpec): Backbone {
  const { names, block, width } = spec;
  const stem = { channels: width, kernelSize: 7, stride: 2, padding: spec.padding ?? 3, activation: "relu" } as const;
  const active = convNorm(builder, { conv: names.conv1, norm: names.bn1, activation: names.relu }, stem, input);
  let last = builder.add(names.maxpool, { kind: "maxPool", kernelSize: 3, stride: 2, padding: 1 }, active);
  let channels = width;
  let dilation = 1;
  const stages: Record<string, string> = {};
  const append = block === "basic" ? basicBlock : bottleneck;
  spec.blocks.forEach((count, s) => {
    const stageWidth = width * 2 ** s;
    const dilates = s > 0 && spec.replaceStrideWithDilation?.[s - 1] === true;
    const before = dilation;
    if (dilates) dilation *= 2;
    for (let b = 0; b < count; b++) {
      const stride = s > 0 && b === 0 && !dilates ? 2 : 1;
      const outChannels = stageWidth * EXPANSION[block];
      const project = stride > 1 || channels !== outChannels;
      // As in torchvision, the first block keeps the previous stage's dilation.
      const shape = { width: stageWidth, outChannels, stride, dilation: b === 0 ? before : dilation, project };
      last = append(builder, { name: `${names.layers[s]}.${b}`, ...shape }, last);
      channels = outChannels;
    }
    stages[`layer${s + 1}`] = last;
  });
  return { stages, top: last };
}

function basicBlock(builder: GraphBuilder, block: Block, input: string): string {
  const { name, width: channels, stride, dilation } = block;
  const window = { channels, kernelSize: 3, padding: dilation, dilation };
  const first = convNorm(builder, part(name, 1), { ...window, stride, activation: "relu" }, input);
  return joined(builder, block, convNorm(builder, part(name, 2), window, first), input);
}

function bottleneck(builder: GraphBuilder, block: Block, input: string): string {
  const { name, width: channels, outChannels, stride, dilation } = block;
  const middle = { channels, kernelSize: 3, stride, padding: dilation, dilation, activation: "relu" } as const;
  const first = convNorm(builder, part(name, 1), { channels, kernelSize: 1, activation: "relu" }, input);
  const second = convNorm(builder, part(name, 2), middle, first);
  const third = { channels: outChannels, kernelSize: 1 };
  return joined(builder, block, convNorm(builder, part(name, 3), third, second), input);
}

const part = (block: string, i: number) => ({
  conv: `${block}.conv${i}`,
  norm: `${block}.bn${i}`,
  activation: `${block}.relu${i}`,
});

/** Adds the shortcut to the branch and applies the activation. */
function joined(builder: GraphBuilder, block: Block, branch: string, input: string): string {
  const { name, outChannels: channels, stride, project } = block;
  const names = { conv: `${name}.downsample.0`, norm: `${name}.downsample.1` };
  const shortcut = project ? convNorm(builder, names, { channels, kernelSize: 1, stride }, input) : input;
  return builder.add(`${name}.relu`, { kind: "relu" }, builder.add(`${name}.add`, { kind: "add" }, branch, shortcut));
}
