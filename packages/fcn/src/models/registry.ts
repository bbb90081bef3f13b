import { type Device, type Tensor, TensorError } from "@fcn/tensor";
import type { Preprocessing } from "../data/samples/preprocessing.js";
import { chooseFrom } from "../options/closest.js";
import { describeGraph, type NodeSummary } from "./graph/geometry/describe.js";
import { GraphNet, type NetOutput } from "./graph/net.js";
import type { Graph } from "./graph/spec.js";
import { type ModelOptions, type Resolved, resolveOptions } from "./modelOptions.js";
import type { ModelEntry } from "./zoo/entry.js";
import { ZOO } from "./zoo/index.js";

/** The names that `create` takes. */
export function list(): string[] {
  return Object.keys(ZOO);
}

/** @internal The entry of a model. Throws `invalid-argument` for an unknown name. */
export function entryOf(name: string): ModelEntry {
  const entry = Object.hasOwn(ZOO, name) ? ZOO[name] : undefined;
  if (entry !== undefined) return entry;
  throw new TensorError({
    code: "invalid-argument",
    message: `models: there is no model called ${JSON.stringify(name)}`,
    fix: {
      code: chooseFrom(name, list(), "models.list()"),
      command: chooseFrom(name, list(), "fcn models"),
    },
  });
}

/** The preprocessing of a model's published weights, if it is not ImageNet's mean and deviation. */
export const publishedPreprocessing = (name: string): Preprocessing | undefined => entryOf(name).preprocessing;

/** The layers of a model as data, and its options with defaults filled in. Throws as {@link create} does. */
export function graphOf(name: string, options: ModelOptions): { graph: Graph; options: Resolved } {
  const entry = entryOf(name);
  const resolved = resolveOptions(name, options, entry.defaults, entry.rules);
  return { graph: entry.graph(resolved, name), options: resolved };
}

/**
 * The layers of a model for an image of `height` x `width` pixels: the shape [C, H, W], receptive field and crop offset
 * of each. Needs no device. Throws if the image is too small for the net.
 */
export function describe(name: string, options: ModelOptions & { height: number; width: number }): NodeSummary[] {
  const { height, width, ...rest } = options;
  return describeGraph(graphOf(name, rest).graph, height, width);
}

/** Builds the net of a graph. The memory that only its initial values took is given back. */
export function build<Output extends NetOutput>(device: Device, graph: Graph, seed = 0): GraphNet<Output> {
  const { pooledBytes } = device.memory();
  const net = new GraphNet<Output>(device, graph, seed);
  device.trim(pooledBytes);
  return net;
}

/** The name and options that `create` made a net from. */
export interface NetOrigin {
  readonly model: string;
  readonly options: ModelOptions;
}

const ORIGINS = new WeakMap<object, NetOrigin>();

/** The name and options of a net that {@link create} made, or undefined for any other net. */
export const originOf = (net: object): NetOrigin | undefined => ORIGINS.get(net);

/** The head names of the nets with several heads. */
export interface SeveralHeads {
  readonly fcn_resnet50: "out" | "aux";
  readonly fcn_resnet101: "out" | "aux";
  readonly deeplabv3_resnet50: "out" | "aux";
  readonly deeplabv3_resnet101: "out" | "aux";
  readonly deeplabv3_mobilenet_v3_large: "out" | "aux";
  readonly "fcn32s-vgg16-siftflow": "sem" | "geo";
  readonly "fcn16s-vgg16-siftflow": "sem" | "geo";
  readonly "fcn8s-vgg16-siftflow": "sem" | "geo";
}

/**
 * What `forward` of a model returns: logits [N, numClasses, H, W], or a record of them by head for the models of
 * {@link SeveralHeads} unless `auxLoss` is false. Of a name or an `auxLoss` that is known at run time only, either.
 */
export type OutputOf<Name extends string, Options extends ModelOptions = ModelOptions> = string extends Name
  ? NetOutput
  : Name extends keyof SeveralHeads
    ? Options extends { readonly auxLoss?: infer Aux }
      ? unknown extends Aux
        ? Record<SeveralHeads[Name], Tensor>
        : Aux extends false
          ? Tensor
          : Record<SeveralHeads[Name], Tensor>
      : Record<SeveralHeads[Name], Tensor>
    : Tensor;

/**
 * Builds a net on a device. `forward` takes [N, inChannels, H, W] of any size that `describe` accepts and returns
 * logits [N, numClasses, H, W], or a record of them for a net with several heads, as {@link OutputOf} says by name. Of
 * a name that is a variable it may be either; name the type if you know it: `create<Tensor>(name, ...)`. Parameters
 * have the names of the published ports. Score layers start at zero, upsampling layers bilinear and the backbone as in
 * torchvision; the same seed gives the same values. To continue from a coarser net:
 * `net.loadStateDict(coarser.stateDict(), { strict: false })`.
 *
 * Throws `invalid-argument` for an unknown name, an option that is unknown to the model or out of range, and a padding
 * that leaves no crop offset.
 *
 * @example
 * ```ts
 * import { models } from "@fcn/core";
 * import { createDevice, noGrad } from "@fcn/tensor";
 * const device = await createDevice();
 * const net = models.create("fcn8s-small", device, { numClasses: 3 });
 * const logits = noGrad(() => net.forward(device.zeros([1, 3, 64, 64])));
 * console.log(logits.shape); // [1, 3, 64, 64]
 * device.destroy();
 * ```
 */
export function create<const Name extends string, const Options extends ModelOptions>(
  name: Name,
  device: Device,
  options: Options,
): GraphNet<OutputOf<Name, Options>>;
export function create<Output extends NetOutput>(name: string, device: Device, options: ModelOptions): GraphNet<Output>;
export function create<Output extends NetOutput>(
  name: string,
  device: Device,
  options: ModelOptions,
): GraphNet<Output> {
  const { graph, options: resolved } = graphOf(name, options);
  const net = build<Output>(device, graph, resolved.seed);
  ORIGINS.set(net, { model: name, options: { ...options } });
  return net;
}
