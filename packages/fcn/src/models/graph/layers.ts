import { add, crop, type Device, maxPool2d, mul, nn, relu, type Tensor } from "@fcn/tensor";
import { convValues, seedFor } from "./initialise.js";
import type { Extent, Layer, LayerKind, LayerOf, Node, Window } from "./spec.js";
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

const pair = (extent: Extent | undefined, otherwise: number): [number, number] => {
  const value = extent ?? otherwise;
  return typeof value === "number" ? [value, value] : [value[0], value[1]];
};

const windowOptions = (w: Window) => ({
  kernelSize: pair(w.kernelSize, 1),
  stride: pair(w.stride, 1),
  padding: pair(w.padding, 0),
  dilation: pair(w.dilation, 1),
});

const runModule = (_: Layer, { module, inputs }: RunContext): Tensor =>
  (module as nn.Module).forward(first(inputs)) as Tensor;
const first = (inputs: readonly Tensor[]): Tensor => inputs[0] as Tensor;

const BEHAVIOURS: { readonly [K in LayerKind]: Behaviour<K> } = {
  input: { run: (_, { inputs }) => first(inputs) },
  conv: { build: buildConv, run: runModule },
  convTranspose: {
    build: (layer, { device, inChannels, seed }, name) =>
      new BilinearUpsampling(device, inChannels, layer, seedFor(seed, name)),
    run: runModule,
  },
  maxPool: {
    run: (layer, { inputs }) =>
      maxPool2d(first(inputs), { ...windowOptions(layer), ceilMode: layer.ceilMode ?? false }),
  },
  batchNorm: {
    build: (layer, { device, inChannels }) =>
      new nn.BatchNorm2d(device, inChannels, { eps: layer.eps ?? 1e-5, momentum: layer.momentum ?? 0.1 }),
    run: runModule,
  },
  relu: { run: (_, { inputs }) => relu(first(inputs)) },
  dropout: {
    build: (layer, { seed }, name) => new nn.Dropout({ p: layer.p, seed: seedFor(seed, name) }),
    run: runModule,
  },
  scale: { run: (layer, { inputs }) => mul(first(inputs), layer.factor) },
  add: { run: (_, { inputs }) => inputs.slice(1).reduce((sum, input) => add(sum, input), first(inputs)) },
  crop: { run: (_, { inputs, offset }) => cropTo(first(inputs), inputs[1] as Tensor, offset) },
};

function buildConv(layer: LayerOf<"conv">, { device, inChannels, seed }: BuildContext, name: string): nn.Module {
  const { outChannels, groups = 1, bias = true, init = "default" } = layer;
  const conv = new nn.Conv2d(device, inChannels, outChannels, { ...windowOptions(layer), groups, bias });
  const [kh, kw] = pair(layer.kernelSize, 1);
  const shape = [outChannels, inChannels / groups, kh, kw] as const;
  const values = convValues(device, shape, init, bias, seedFor(seed, name));
  conv.loadStateDict({ ...values });
  values.weight.dispose();
  values.bias?.dispose();
  return conv;
}

function cropTo(source: Tensor, reference: Tensor, [top, left]: readonly [number, number]): Tensor {
  const [height, width] = reference.shape.slice(2) as [number, number];
  const same = top === 0 && left === 0 && source.shape[2] === height && source.shape[3] === width;
  return same ? source : crop(source, { top, left, height, width });
}

/** The module that holds a node's parameters or state, if it has any. */
export function buildLayer(node: Node, context: BuildContext): nn.Module | undefined {
  const behaviour = BEHAVIOURS[node.layer.kind] as Behaviour<LayerKind>;
  return behaviour.build?.(node.layer as never, context, node.name);
}

export function runLayer(layer: Layer, context: RunContext): Tensor {
  return (BEHAVIOURS[layer.kind] as Behaviour<LayerKind>).run(layer as never, context);
}
