import type { GraphBuilder } from "../graph/builder.js";
import type { Window } from "../graph/plane/window.js";
import type { Backbone } from "./backbone.js";
import { scaleWidth } from "./convNorm.js";
import {
  type AppendConv,
  basicConv,
  type ConvStep,
  inceptionBlock,
  type Step,
  type StepWindow,
  stepWindow,
} from "./inceptionBlocks.js";

/** Options of {@link googLeNetBackbone} and {@link bvlcGoogLeNetBackbone}. */
export interface GoogLeNetSpec {
  /** Prepended to every name, such as `backbone.`. */
  readonly prefix: string;
  readonly widthMultiplier: number;
  /** Padding of the first convolution; 3 in the classifier. */
  readonly padding: number;
}

/**
 * Channels of each block: 1x1; reduction and 3x3; reduction and "5x5"; projection after the pool (table 1 of Szegedy et
 * al. 2014).
 */
const BLOCKS: Readonly<Record<string, readonly [number, number, number, number, number, number]>> = {
  "3a": [64, 96, 128, 16, 32, 32],
  "3b": [128, 128, 192, 32, 96, 64],
  "4a": [192, 96, 208, 16, 48, 64],
  "4b": [160, 112, 224, 24, 64, 64],
  "4c": [128, 128, 256, 24, 64, 64],
  "4d": [112, 144, 288, 32, 64, 64],
  "4e": [256, 160, 320, 32, 128, 128],
  "5a": [256, 160, 320, 32, 128, 128],
  "5b": [384, 192, 384, 48, 128, 128],
};

/** Everything that differs between the two ports. */
interface Port {
  readonly block: (id: string) => string;
  /** The convolutions of a block in the order of its channels. */
  readonly steps: readonly [string, string, string, string, string, string];
  readonly stem: readonly [string, string, string];
  readonly pools: readonly [string, string, string, string];
  /** Kernel of the branch that the paper calls 5x5. */
  readonly wide: number;
  readonly lastPool: Window;
  /** Names of Caffe's normalisation after pool1 and before pool2. */
  readonly norms?: readonly [string, string];
  readonly append: AppendConv;
}

const POOL: Window = { kernelSize: 3, stride: 2 };

/** Convolution without bias, batch norm, ReLU. */
const TORCHVISION: Port = {
  block: (id) => `inception${id}`,
  steps: [".branch1", ".branch2.0", ".branch2.1", ".branch3.0", ".branch3.1", ".branch4.1"],
  stem: ["conv1", "conv2", "conv3"],
  pools: ["maxpool1", "maxpool2", "maxpool3", "maxpool4"],
  wide: 3,
  lastPool: { kernelSize: 2, stride: 2 },
  // torchvision truncates the distribution at 200 deviations, which changes nothing.
  append: basicConv(0.01),
};

/** Convolution with bias, ReLU. */
const BVLC: Port = {
  block: (id) => `inception_${id}`,
  steps: ["/1x1", "/3x3_reduce", "/3x3", "/5x5_reduce", "/5x5", "/pool_proj"],
  stem: ["conv1/7x7_s2", "conv2/3x3_reduce", "conv2/3x3"],
  pools: ["pool1/3x3_s2", "pool2/3x3_s2", "pool3/3x3_s2", "pool4/3x3_s2"],
  wide: 5,
  lastPool: POOL,
  norms: ["pool1/norm1", "conv2/norm2"],
  append: (builder, name, step, input) => {
    const conv = builder.add(name, { kind: "conv", outChannels: step[1], ...stepWindow(step), init: "xavier" }, input);
    return builder.add(`${name}_relu`, { kind: "relu" }, conv);
  },
};

/**
 * Appends torchvision's GoogLeNet without its heads, under its names: batch norm (eps 1e-3), 3x3 instead of the paper's
 * 5x5, last pool 2/2. Stages conv3, inception3b and 4e have strides 4, 8 and 16; the top is inception5b.
 */
export const googLeNetBackbone = (builder: GraphBuilder, input: string, spec: GoogLeNetSpec): Backbone =>
  append(builder, input, TORCHVISION, spec);

/**
 * Appends BVLC's Caffe model of the same net: biases and normalisation across channels instead of batch norm, all pools
 * 3/2, and Caffe's names.
 */
export const bvlcGoogLeNetBackbone = (builder: GraphBuilder, input: string, spec: GoogLeNetSpec): Backbone =>
  append(builder, input, BVLC, spec);

function append(builder: GraphBuilder, input: string, port: Port, spec: GoogLeNetSpec): Backbone {
  const at = (name: string): string => `${spec.prefix}${name}`;
  const width = (channels: number): number => scaleWidth(channels, spec.widthMultiplier);
  const pool = (i: number, window: Window, from: string): string =>
    builder.add(at(port.pools[i] as string), { kind: "maxPool", ...window, ceilMode: true }, from);
  const norm = (i: 0 | 1, from: string): string =>
    port.norms ? builder.add(at(port.norms[i]), { kind: "lrn", size: 5, alpha: 1e-4, beta: 0.75 }, from) : from;
  const conv = (name: string, channels: number, kernel: number, window: StepWindow, from: string): string =>
    port.append(builder, at(name), [name, width(channels), kernel, window], from);

  let last = conv(port.stem[0], 64, 7, { stride: 2, padding: spec.padding }, input);
  last = norm(0, pool(0, POOL, last));
  last = conv(port.stem[2], 192, 3, {}, conv(port.stem[1], 64, 1, {}, last));
  const stages: Record<string, string> = { conv3: last };
  last = pool(1, POOL, norm(1, last));
  for (const [id, channels] of Object.entries(BLOCKS)) {
    if (id === "4a") last = pool(2, POOL, last);
    if (id === "5a") last = pool(3, port.lastPool, last);
    last = inceptionBlock(builder, at(port.block(id)), branches(port, channels.map(width)), port.append, last);
    stages[`inception${id}`] = last;
  }
  return { stages, top: last };
}

function branches({ steps, wide }: Port, channels: readonly number[]): Step[][] {
  const step = (i: number, kernel: number): ConvStep => [steps[i] as string, channels[i] as number, kernel];
  const pool: Step = { kind: "maxPool", kernelSize: 3, stride: 1, padding: 1, ceilMode: true };
  return [[step(0, 1)], [step(1, 1), step(2, 3)], [step(3, 1), step(4, wide)], [pool, step(5, 1)]];
}
