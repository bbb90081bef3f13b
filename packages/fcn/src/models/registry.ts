import type { Device, Tensor } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import type { Preprocessing } from "../data/samples/preprocessing.js";
import { describeGraph, type NodeSummary } from "./graph/geometry/describe.js";
import { GraphNet, type NetOutput } from "./graph/net.js";
import type { Graph } from "./graph/spec.js";
import { type ModelOptions, type Resolved, resolveOptions } from "./options.js";
import type { ModelEntry } from "./zoo/entry.js";
import { ZOO } from "./zoo/index.js";

/** Names that `create` takes. */
export function list(): string[] {
  return Object.keys(ZOO);
}

function entryOf(name: string): ModelEntry {
  const entry = Object.hasOwn(ZOO, name) ? ZOO[name] : undefined;
  if (entry !== undefined) return entry;
  throw invalidArgument(`models: there is no model called ${JSON.stringify(name)}`, `use one of: ${list().join(", ")}`);
}

/** What the published weights of a model were made with, where it is not ImageNet's mean and deviation. */
export const publishedPreprocessing = (name: string): Preprocessing | undefined => entryOf(name).preprocessing;

/** The layers of a model as data, and its options with the defaults filled in. */
export function graphOf(name: string, options: ModelOptions): { graph: Graph; options: Resolved } {
  const entry = entryOf(name);
  const resolved = resolveOptions(name, options, entry.defaults, entry.rules);
  return { graph: entry.graph(resolved), options: resolved };
}

/**
 * The layers of a model for an image of `height` x `width`: shape [C, H, W], receptive field and crop offset of each.
 * Needs no device. Throws where the image is too small for the net.
 */
export function describe(name: string, options: ModelOptions & { height: number; width: number }): NodeSummary[] {
  const { height, width, ...rest } = options;
  return describeGraph(graphOf(name, rest).graph, height, width);
}

/** What `create` made a net of. */
export interface NetOrigin {
  readonly model: string;
  readonly options: ModelOptions;
}

const ORIGINS = new WeakMap<object, NetOrigin>();

/** The name and options of a net that {@link create} made; undefined for any other. */
export const originOf = (net: object): NetOrigin | undefined => ORIGINS.get(net);

/** Names of the heads of the nets that have several. */
export interface SeveralHeads {
  readonly fcn_resnet50: "out" | "aux";
  readonly fcn_resnet101: "out" | "aux";
  readonly "fcn32s-vgg16-siftflow": "sem" | "geo";
  readonly "fcn16s-vgg16-siftflow": "sem" | "geo";
  readonly "fcn8s-vgg16-siftflow": "sem" | "geo";
}

/**
 * A net on a device. `forward` takes [N, inChannels, H, W], of any size that `describe` accepts, and returns logits [N,
 * numClasses, H, W]; nets with several heads return a record of them. Where the name is a variable, name the type of
 * the answer: `create<NetOutput>(name, ...)`. The names of its parameters are those of the published ports. Score
 * layers start at zero, upsampling layers bilinear, the backbone as in torchvision; the same seed gives the same
 * values. To carry on from a coarser net: `net.loadStateDict(coarser.stateDict(), { strict: false })`.
 *
 * Throws for an unknown name, an option out of range or unknown to the model, and a padding that leaves no crop offset.
 */
export function create<Name extends keyof SeveralHeads, Options extends ModelOptions>(
  name: Name,
  device: Device,
  options: Options,
): GraphNet<Options extends { readonly auxLoss: false } ? Tensor : Record<SeveralHeads[Name], Tensor>>;
export function create<Output extends NetOutput = Tensor>(
  name: string,
  device: Device,
  options: ModelOptions,
): GraphNet<Output>;
export function create<Output extends NetOutput>(
  name: string,
  device: Device,
  options: ModelOptions,
): GraphNet<Output> {
  const { graph, options: resolved } = graphOf(name, options);
  const net = new GraphNet<Output>(device, graph, resolved.seed);
  ORIGINS.set(net, { model: name, options: { ...options } });
  return net;
}
