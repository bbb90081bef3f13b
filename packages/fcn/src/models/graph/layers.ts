import {
  add,
  avgPool2d,
  concat,
  conv2d,
  crop,
  type Device,
  interpolate,
  localResponseNorm,
  maximum,
  maxPool2d,
  mul,
  nn,
  pad,
  relu,
  relu6,
  slice,
  type Tensor,
} from "@fcn/tensor";
import { convValues, seedFor } from "./weights/initialise.js";
import {
  along,
  type Extent,
  type Layer,
  type LayerKind,
  type LayerOf,
  type Node,
  type PaddedWindow,
  paddingAlong,
} from "./spec.js";
import { BilinearUpsampling } from "./upsampling.js";

export interface BuildContext {
  readonly device: Device;
  readonly seed: number;
  readonly inChannels: number;
}

export interface RunContext {
  readonly inputs: readonly Tensor[];
  /** What `build` made. */
  readonly module: nn.Module | undefined;
  /** [top, left] of a crop. */
  readonly offset: readonly [number, number];
}

/** How a kind of layer gets its parameters and how it computes. Kinds without parameters have no `build`. */
interface Behaviour<K extends LayerKind> {
  readonly build?: (layer: LayerOf<K>, context: BuildContext, name: string) => nn.Module;
  readonly run: (layer: LayerOf<K>, context: RunContext) => Tensor;
}

const first = ({ inputs }: RunContext): Tensor => inputs[0] as Tensor;
const runModule = (_: Layer, context: RunContext): Tensor =>
  (context.module as nn.Module).forward(first(context)) as Tensor;
const fold =
  (op: (a: Tensor, b: Tensor) => Tensor) =>
  (_: Layer, { inputs }: RunContext): Tensor =>
    inputs.reduce((a, b) => op(a, b));

const pair = (extent: Extent | undefined, otherwise: number): [number, number] => [
  along(extent, 0, otherwise),
  along(extent, 1, otherwise),
];

const sidesFor = (layer: Layer, x: Tensor): [[number, number], [number, number]] => [
  paddingAlong(layer, 0, x.shape[2]),
  paddingAlong(layer, 1, x.shape[3]),
];

const strideAndPadding = (layer: Layer & PaddedWindow, x: Tensor) => ({
  stride: pair(layer.stride, 1),
  padding: sidesFor(layer, x),
});
const kernelSize = (layer: PaddedWindow) => pair(layer.kernelSize, 1);
const dilation = (layer: PaddedWindow) => pair(layer.dilation, 1);

const BEHAVIOURS: { readonly [K in LayerKind]: Behaviour<K> } = {
  input: { run: (_, context) => first(context) },
  conv: {
    build: buildConv,
    run: (layer, context) => {
      const { weight, bias } = context.module as nn.Conv2d;
      return conv2d(first(context), weight, bias, {
        ...strideAndPadding(layer, first(context)),
        dilation: dilation(layer),
        groups: layer.groups ?? 1,
      });
    },
  },
  convTranspose: {
    build: buildConvTranspose,
    run: runModule,
  },
  maxPool: {
    run: (layer, context) =>
      maxPool2d(first(context), {
        ...strideAndPadding(layer, first(context)),
        kernelSize: kernelSize(layer),
        dilation: dilation(layer),
        ceilMode: layer.ceilMode ?? false,
      }),
  },
  avgPool: {
    run: (layer, context) =>
      avgPool2d(first(context), {
        ...strideAndPadding(layer, first(context)),
        kernelSize: kernelSize(layer),
        ceilMode: layer.ceilMode ?? false,
        countIncludePad: layer.countIncludePad ?? true,
      }),
  },
  batchNorm: {
    build: (layer, { device, inChannels }) =>
      new nn.BatchNorm2d(device, inChannels, { eps: layer.eps ?? 1e-5, momentum: layer.momentum ?? 0.1 }),
    run: runModule,
  },
  groupNorm: {
    build: ({ groups, eps = 1e-5 }, { device, inChannels }) => new nn.GroupNorm(device, groups, inChannels, { eps }),
    run: runModule,
  },
  lrn: { run: ({ size, alpha, beta, k = 1 }, context) => localResponseNorm(first(context), { size, alpha, beta, k }) },
  relu: { run: (_, context) => relu(first(context)) },
  relu6: { run: (_, context) => relu6(first(context)) },
  dropout: {
    build: ({ p, channelwise = false }, { seed }, name) =>
      new (channelwise ? nn.Dropout2d : nn.Dropout)({ p, seed: seedFor(seed, name) }),
    run: runModule,
  },
  scale: { run: (layer, context) => mul(first(context), layer.factor) },
  add: { run: fold(add) },
  max: { run: fold(maximum) },
  concat: { run: (_, { inputs }) => concat(inputs, { dim: 1 }) },
  slice: { run: ({ start, end }, context) => slice(first(context), [undefined, [start, end]]) },
  pad: {
    run: (layer, context) => pad(first(context), [[0, 0], [0, 0], ...sidesFor(layer, first(context))]),
  },
  resize: { run: (layer, { inputs }) => resize(layer, inputs[0] as Tensor, inputs[1]) },
  crop: { run: (_, { inputs, offset }) => cropTo(inputs[0] as Tensor, inputs[1] as Tensor, offset) },
};

function buildConv(layer: LayerOf<"conv">, { device, inChannels, seed }: BuildContext, name: string): nn.Module {
  const { outChannels, groups = 1, bias = true, init = "default" } = layer;
  const [kh, kw] = pair(layer.kernelSize, 1);
  const conv = new nn.Conv2d(device, inChannels, outChannels, { kernelSize: [kh, kw], groups, bias });
  const shape = [outChannels, inChannels / groups, kh, kw] as const;
  const values = convValues(device, shape, init, bias, seedFor(seed, name));
  conv.loadStateDict({ ...values });
  values.weight.dispose();
  values.bias?.dispose();
  return conv;
}

function buildConvTranspose(layer: LayerOf<"convTranspose">, context: BuildContext, name: string): nn.Module {
  const { device, inChannels } = context;
  const seed = seedFor(context.seed, name);
  if (layer.init !== "default") return new BilinearUpsampling(device, inChannels, layer, seed);
  const { outChannels, groups = 1, bias = false } = layer;
  const [kernelSize, stride, padding] = [pair(layer.kernelSize, 1), pair(layer.stride, 1), pair(layer.padding, 0)];
  return new nn.ConvTranspose2d(device, inChannels, outChannels, { kernelSize, stride, padding, groups, bias, seed });
}

const samePlane = (a: Tensor, b: Tensor): boolean => a.shape[2] === b.shape[2] && a.shape[3] === b.shape[3];

function cropTo(source: Tensor, reference: Tensor, [top, left]: readonly [number, number]): Tensor {
  const [height, width] = reference.shape.slice(2) as [number, number];
  return top === 0 && left === 0 && samePlane(source, reference) ? source : crop(source, { top, left, height, width });
}

function resize(layer: LayerOf<"resize">, source: Tensor, reference: Tensor | undefined): Tensor {
  const { mode } = layer;
  if ("scaleFactor" in layer) return interpolate(source, { scaleFactor: layer.scaleFactor, mode });
  if (reference === undefined || samePlane(source, reference)) return source;
  return interpolate(source, { size: reference.shape.slice(2), mode, alignCorners: layer.alignCorners ?? false });
}

/** Every kind of layer that a graph may have. */
export const LAYER_KINDS = Object.keys(BEHAVIOURS) as readonly LayerKind[];

/** The module that holds a node's parameters or state, if it has any. */
export function buildLayer(node: Node, context: BuildContext): nn.Module | undefined {
  const behaviour = BEHAVIOURS[node.layer.kind] as Behaviour<LayerKind>;
  return behaviour.build?.(node.layer as never, context, node.name);
}

export function runLayer(layer: Layer, context: RunContext): Tensor {
  return (BEHAVIOURS[layer.kind] as Behaviour<LayerKind>).run(layer as never, context);
}
