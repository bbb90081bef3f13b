import type { io } from "@fcn/tensor";
import { constant, convKernel, depthwiseKernel, type HostArrays, lookup } from "./layout.js";

const OP = "mobilenetV2FromTensorFlow";
const BLOCKS = 16;

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

const pair = (conv: string, norm: string) => [conv, norm] as const;
const inside = (path: string) => pair(`${path}.0`, `${path}.1`);

function blockLayers(index: number): Layer[] {
  const torch = `features.${index + 1}.conv`;
  const keras = index === 0 ? "expanded_conv" : `block_${index}`;
  const slim = index === 0 ? "expanded_conv" : `expanded_conv_${index}`;
  const kerasPair = (part: string) => pair(`${keras}_${part}`, `${keras}_${part}_BN`);
  // The first block has no expansion.
  const at = index === 0 ? 0 : 1;
  const expand = { torch: inside(`${torch}.0`), keras: kerasPair("expand"), slim: `${slim}/expand`, depthwise: false };
  return [
    ...(index === 0 ? [] : [expand]),
    { torch: inside(`${torch}.${at}`), keras: kerasPair("depthwise"), slim: `${slim}/depthwise`, depthwise: true },
    {
      torch: pair(`${torch}.${at + 1}`, `${torch}.${at + 2}`),
      keras: kerasPair("project"),
      slim: `${slim}/project`,
      depthwise: false,
    },
  ];
}

const LAYERS: readonly Layer[] = [
  { torch: inside("features.0"), keras: pair("Conv1", "bn_Conv1"), slim: "Conv", depthwise: false },
  ...Array.from({ length: BLOCKS + 1 }, (_, index) => blockLayers(index)).flat(),
  { torch: inside("features.18"), keras: pair("Conv_1", "Conv_1_bn"), slim: "Conv_1", depthwise: false },
];

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
  const entries = LAYERS.flatMap((layer) => {
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
