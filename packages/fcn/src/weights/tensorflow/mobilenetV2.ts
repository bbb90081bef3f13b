import type { io } from "@fcn/tensor";
import { mobileNetBackbone } from "../../models/backbones/mobilenet.js";
import { GraphBuilder } from "../../models/graph/builder.js";
import { constant, convKernel, depthwiseKernel, type HostArrays, lookup } from "./layout.js";

const OP = "mobilenetV2FromTensorFlow";
const BLOCKS = 16;
const PARTS = ["expand", "depthwise", "project"] as const;

export interface MobileNetV2Options {
  /** Prefix of every name. Default `backbone.`, as in our nets; empty for torchvision's classifier. */
  readonly prefix?: string;
  /** The epsilon of the net's batch norm; it matters if batch norm was folded into the kernels. Default 1e-3. */
  readonly eps?: number;
}

/** One convolution with its batch norm, as named in the three ports. */
interface Layer {
  /** torchvision's names for convolution and batch norm. */
  readonly torch: readonly [conv: string, norm: string];
  /** Keras's names for the layers. */
  readonly keras: readonly [conv: string, norm: string];
  /** The scope in TensorFlow's slim and hub models. */
  readonly slim: string;
  readonly depthwise: boolean;
}

/** Keras's and slim's names of the convolutions, in the order of the net. The first block has no expansion. */
const FOREIGN: readonly Omit<Layer, "torch">[] = [
  { keras: ["Conv1", "bn_Conv1"], slim: "Conv", depthwise: false },
  ...Array.from({ length: BLOCKS + 1 }, (_, i) => {
    const [keras, slim] = i === 0 ? ["expanded_conv", "expanded_conv"] : [`block_${i}`, `expanded_conv_${i}`];
    return (i === 0 ? PARTS.slice(1) : PARTS).map((part) => ({
      keras: [`${keras}_${part}`, `${keras}_${part}_BN`] as const,
      slim: `${slim}/${part}`,
      depthwise: part === "depthwise",
    }));
  }).flat(),
  { keras: ["Conv_1", "Conv_1_bn"], slim: "Conv_1", depthwise: false },
];

/** The convolutions of our graph, each followed by its batch norm, under all names. */
function allLayers(): Layer[] {
  const builder = new GraphBuilder("mobilenetv2");
  const data = builder.add("data", { kind: "input", channels: 3 });
  mobileNetBackbone(builder, data, { prefix: "", widthMultiplier: 1, samePadding: true, eps: 1e-3 });
  const { nodes } = builder.build();
  const named = (kind: "conv" | "batchNorm") =>
    nodes.filter(({ layer }) => layer.kind === kind).map(({ name }) => name);
  const [convs, norms] = [named("conv"), named("batchNorm")];
  return FOREIGN.map((names, i) => ({ ...names, torch: [convs[i] as string, norms[i] as string] }));
}

type Norm = Readonly<Record<"weight" | "bias" | "running_mean" | "running_var", io.HostArray>>;
type Read = (layer: Layer) => { readonly kernel: io.HostArray; readonly norm: Norm };

/**
 * Converts the weights of a TensorFlow MobileNetV2 of any width (`io.readTfjs`) to torchvision's names and our layout.
 * Accepts Keras layers models, and graph models whose batch norm is folded into kernel and bias; those get a batch norm
 * that only adds the bias. The net needs `samePadding: true` and `bnEps: 1e-3`. Weights after the last convolution (a
 * classifier) are left out.
 *
 * Throws `invalid-argument` if a weight is missing.
 */
export function mobilenetV2FromTensorFlow(
  weights: HostArrays,
  { prefix = "backbone.", eps = 1e-3 }: MobileNetV2Options = {},
): Record<string, io.HostArray> {
  const scope = slimScope(weights);
  const read = scope === undefined ? kerasReader(weights) : slimReader(weights, scope, eps);
  const entries = allLayers().flatMap((layer) => {
    const { kernel, norm } = read(layer);
    const [conv, batchNorm] = layer.torch;
    const weight = layer.depthwise ? depthwiseKernel(kernel) : convKernel(kernel);
    const normEntries = Object.entries(norm).map(([name, value]) => [`${batchNorm}.${name}`, value] as const);
    return [[`${conv}.weight`, weight] as const, ...normEntries];
  });
  return Object.fromEntries(entries.map(([name, value]) => [prefix + name, value]));
}

function kerasReader(weights: HostArrays): Read {
  const get = lookup(OP, weights);
  return ({ keras: [conv, norm], depthwise }) => ({
    kernel: get(depthwise ? `${conv}/depthwise_kernel` : `${conv}/kernel`),
    norm: {
      weight: get(`${norm}/gamma`),
      bias: get(`${norm}/beta`),
      running_mean: get(`${norm}/moving_mean`),
      running_var: get(`${norm}/moving_variance`),
    },
  });
}

/** The prefix of `Conv/Conv2D_weights` in a graph model; undefined for Keras names. */
function slimScope(weights: HostArrays): string | undefined {
  const first = "MobilenetV2/Conv/Conv2D_weights";
  return Object.keys(weights)
    .find((name) => name.endsWith(first))
    ?.slice(0, -"Conv/Conv2D_weights".length);
}

function slimReader(weights: HostArrays, scope: string, eps: number): Read {
  const get = lookup(OP, weights);
  return ({ slim, depthwise }) => {
    const base = `${scope}${slim}/${depthwise ? "depthwise" : "Conv2D"}`;
    const bias = get(`${base}_bn_offset`);
    const channels = bias.data.length;
    return {
      kernel: get(`${base}_weights`),
      norm: {
        weight: constant(channels, 1),
        bias,
        running_mean: constant(channels, 0),
        running_var: constant(channels, 1 - eps),
      },
    };
  };
}
