import { bilinearRule, convTranspose2d, type Device, nn, type Tensor } from "@fcn/tensor";
import { elementsOf, versionOf } from "@fcn/tensor/internal";
import { inverseMap } from "../plane/coordinateMap.js";
import { along, type Window, windowAlong } from "../plane/window.js";
import { bilinearKernel } from "../weights/bilinear.js";
import { convertDeconvBlob, type HostBlob, isOtherForm } from "../weights/deconvBlobs.js";
import { seedFor, uniform } from "../weights/initialise.js";
import { groupsFault } from "./conv.js";
import {
  type BuildContext,
  CUT_UPSAMPLING,
  type Fault,
  type Kind,
  ONE,
  type Shapes,
  type Taps,
  type TapsContext,
  unmoved,
} from "./kind.js";
import * as rule from "./rules.js";
import { pair, windowMap, windowRules } from "./slidingWindow.js";

export interface ConvTranspose extends Window {
  readonly kind: "convTranspose";
  readonly outChannels: number;
  /** Set to the number of channels, it upsamples each channel by itself. */
  readonly groups?: number;
  readonly bias?: boolean;
  /** A layer that is not learned keeps its kernel and stays out of `parameters()`. */
  readonly learned?: boolean;
  /** Default `bilinear`. `default` is PyTorch's, for any number of channels; such a layer is always learned. */
  readonly init?: "bilinear" | "default";
}

export const convTranspose: Kind<ConvTranspose> = {
  inputs: ONE,
  needed: { outChannels: rule.channels, ...windowRules.needed },
  optional: {
    ...windowRules.optional,
    padding: rule.extent(0),
    groups: rule.channels,
    bias: rule.boolean,
    learned: rule.boolean,
    init: rule.oneOf("bilinear", "default"),
  },
  fault,
  channels: ({ outChannels }) => outChannels,
  ...unmoved,
  size: (layer, axis, size) => {
    const { stride, extent } = windowAlong(layer, axis);
    return (size - 1) * stride - 2 * along(layer.padding, axis, 0) + extent;
  },
  map: (layer, axis) => inverseMap(windowMap(layer, axis, along(layer.padding, axis, 0))),
  taps,
  upsampling: (layer, module, from) => {
    const isFixed = module instanceof BilinearUpsampling && module.isFixed;
    return isFixed ? bilinearRule(from, windowOf(layer)) : undefined;
  },
  width: (layer, axis) => {
    const { stride, extent } = windowAlong(layer, axis);
    return Math.ceil(extent / stride);
  },
  dilate: () => CUT_UPSAMPLING,
  scores: "passes",
  parameters,
  buffers: ({ learned = false, init }) => (learned || init === "default" ? [] : ["weight"]),
  multiplyAdds: (layer, inChannels, { from }) => from * elementsOf(parameters(layer, inChannels).weight as number[]),
  build,
  adapt: (key, from, wanted) =>
    isOtherForm(from, wanted) ? (blob) => convertDeconvBlob(key, blob as HostBlob, wanted) : undefined,
  run: (layer, { x, module, fusion }) => {
    const { weight, bias } = module as BilinearUpsampling | nn.ConvTranspose2d;
    return convTranspose2d(x, weight, bias, { ...windowOptions(layer), crop: fusion?.crop });
  },
};

function fault(layer: ConvTranspose, [from = 0]: readonly number[]): Fault | undefined {
  const { outChannels, groups = 1, init } = layer;
  const uneven = groupsFault(groups, from, outChannels);
  if (uneven || init === "default") return uneven;
  const [height, width] = pair(layer.kernelSize, 1);
  if (height !== width) return [`bilinear upsampling with a kernel of ${height}x${width}`, BILINEAR_FIX];
  if (from === outChannels / groups || outChannels === groups) return undefined;
  return [`bilinear upsampling of ${from} channels to ${outChannels} in ${groups} groups`, BILINEAR_FIX];
}

const BILINEAR_FIX = 'make the kernel square and keep the number of channels, or choose init: "default"';

function taps(layer: ConvTranspose, { axis }: TapsContext): Taps {
  const { stride, extent } = windowAlong(layer, axis);
  const padding = along(layer.padding, axis, 0);
  return (x) => [Math.ceil((x + padding - extent + 1) / stride), Math.floor((x + padding) / stride)];
}

function parameters({ outChannels, groups = 1, kernelSize, bias = false }: ConvTranspose, inChannels: number): Shapes {
  const weight = [inChannels, outChannels / groups, ...pair(kernelSize, 1)];
  return bias ? { weight, bias: [outChannels] } : { weight };
}

const windowOf = ({ kernelSize, stride, padding }: ConvTranspose) => ({
  kernelSize: pair(kernelSize, 1),
  stride: pair(stride, 1),
  padding: pair(padding, 0),
});

/** Whether the kernel upsamples by the stride: it is twice as large, or one less. */
const fillsStride = (layer: ConvTranspose): boolean => {
  const { kernelSize, stride } = windowOf(layer);
  const isPlain = pair(layer.dilation, 1).every((rate) => rate === 1);
  return isPlain && kernelSize.every((side, axis) => Math.floor((side + 1) / 2) === stride[axis]);
};

const windowOptions = ({ stride, padding, dilation, groups = 1 }: ConvTranspose) => ({
  stride: pair(stride, 1),
  padding: pair(padding, 0),
  dilation: pair(dilation, 1),
  groups,
});

function build(layer: ConvTranspose, { device, inChannels, seed }: BuildContext): nn.Module {
  if (layer.init !== "default") return new BilinearUpsampling(device, inChannels, layer, seed);
  const { outChannels, bias = false } = layer;
  const kernelSize = pair(layer.kernelSize, 1);
  return new nn.ConvTranspose2d(device, inChannels, outChannels, { ...windowOptions(layer), kernelSize, bias, seed });
}

/** How much weights may differ that were computed elsewhere, of 1. */
const ROUNDING = 1e-6;

/**
 * A transposed convolution that starts bilinear. Weight [in, out / groups, k, k]. If the layer is not learned, the
 * weight is a buffer, so it is in the state dict but not among the parameters. The bias, if any, starts as PyTorch's
 * does.
 */
export class BilinearUpsampling extends nn.Module {
  readonly #layer: ConvTranspose;
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  /** The version of the weight that was looked at last, and whether it was bilinear. */
  #seen: { readonly version: number; readonly isBilinear: boolean };

  constructor(device: Device, channels: number, layer: ConvTranspose, seed: number) {
    super();
    const { outChannels, groups = 1, learned = false } = layer;
    const k = along(layer.kernelSize, 0, 1);
    const kernel = bilinearKernel(channels, outChannels / groups, k);
    this.#layer = layer;
    this.weight = nn.convolutionWeight(device, kernel.data, kernel.shape);
    this.#seen = { version: versionOf(this.weight), isBilinear: true };
    if (learned) this.registerParameter("weight", this.weight);
    else this.registerBuffer("weight", this.weight);
    if (layer.bias !== true) return;
    const bound = 1 / Math.sqrt((outChannels / groups) * k * k);
    this.bias = uniform(device, [outChannels], bound, seedFor(seed, "bias"));
    this.registerParameter("bias", this.bias);
  }

  /** Whether it is bilinear upsampling; not after a change of the weight that {@link look} has not seen. */
  get isFixed(): boolean {
    const { learned = false, bias = false, outChannels } = this.#layer;
    const { version, isBilinear } = this.#seen;
    const isOwn = !learned && !bias && !this.weight.requiresGrad && this.weight.shape[0] === outChannels;
    return isOwn && fillsStride(this.#layer) && isBilinear && version === versionOf(this.weight);
  }

  /** Reads the weight if it was changed since, as by loading, to tell whether it is bilinear. */
  async look(): Promise<void> {
    const version = versionOf(this.weight);
    if (version === this.#seen.version || this.#layer.learned) return;
    const [channels, wide, k] = this.weight.shape as [number, number, number];
    const values = await this.weight.data();
    const { data } = bilinearKernel(channels, wide, k);
    this.#seen = { version, isBilinear: data.every((value, i) => Math.abs(value - values[i]!) <= ROUNDING) };
  }

  override forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, this.bias, windowOptions(this.#layer));
  }
}
