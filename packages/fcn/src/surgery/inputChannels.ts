import type { io } from "@fcn/tensor";
import { show } from "@fcn/tensor/internal";
import { arrayOf, gather, type HostState, surgeryError } from "./state.js";

/** Weight [O, I, kh, kw] of a first convolution, and the elements of one channel. */
function firstConvolution(
  op: string,
  state: HostState,
  layer: string,
): { weight: io.HostArray; outputs: number; inputs: number; area: number } {
  const weight = arrayOf(op, state, `${layer}.weight`);
  const [outputs = 0, inputs = 0, kh = 0, kw = 0] = weight.shape;
  if (weight.shape.length === 4 && inputs >= 3) return { weight, outputs, inputs, area: kh * kw };
  const problem = `${layer}.weight has shape ${show(weight.shape)}, expected [O, 3, kh, kw] or more channels`;
  throw surgeryError(op, problem, "name the first convolution: conv1_1, or backbone.conv1");
}

/**
 * The weights of a net for images with red and blue exchanged: the first three input channels of the convolution
 * `layer` in reverse. So weights of a net that takes BGR (Caffe's) take RGB, and the other way round. Further channels
 * stay. Means and scales are not part of it.
 */
export function flipInputChannels(state: HostState, layer: string): HostState {
  const { weight, outputs, inputs, area } = firstConvolution("flipInputChannels", state, layer);
  const source = (channel: number): number => (channel < 3 ? 2 - channel : channel);
  const offsets = Array.from({ length: outputs * inputs }, (_, i) => {
    const output = Math.floor(i / inputs);
    return (output * inputs + source(i % inputs)) * area;
  });
  return { ...state, [`${layer}.weight`]: gather(weight, weight.shape, area, offsets) };
}

/**
 * The weights of a net with one more input channel, depth for instance, whose kernel is the mean of the other three.
 * `as` renames the layer, as conv1_1 became conv1_1_bgrd in the published RGB-D net. Source: `nyud-fcn32s-color-d` of
 * the reference implementation.
 */
export function addMeanChannel(
  state: HostState,
  layer: string,
  { as = layer }: { readonly as?: string } = {},
): HostState {
  const { weight, outputs, inputs, area } = firstConvolution("addMeanChannel", state, layer);
  const data = new Float32Array(outputs * (inputs + 1) * area);
  for (let output = 0; output < outputs; output++) {
    for (let i = 0; i < area; i++) {
      let sum = 0;
      for (let channel = 0; channel < inputs; channel++) {
        const value = Number(weight.data[(output * inputs + channel) * area + i]);
        data[(output * (inputs + 1) + channel) * area + i] = value;
        if (channel < 3) sum += value;
      }
      data[(output * (inputs + 1) + inputs) * area + i] = sum / 3;
    }
  }
  const [, , kh = 0, kw = 0] = weight.shape;
  const { [`${layer}.weight`]: _weight, [`${layer}.bias`]: bias, ...rest } = state;
  const widened: io.HostArray = { dtype: "float32", shape: [outputs, inputs + 1, kh, kw], data };
  return { ...rest, [`${as}.weight`]: widened, ...(bias === undefined ? {} : { [`${as}.bias`]: bias }) };
}
