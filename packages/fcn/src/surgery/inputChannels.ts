import type { io } from "@fcn/tensor";
import { show } from "@fcn/tensor/internal";
import { arrayOf, gather, type HostState, surgeryError } from "./state.js";

/** The weight [O, I, kh, kw] of a first convolution, and the number of elements per channel. */
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
 * Exchanges red and blue in a net's weights by reversing the first three input channels of the convolution `layer`:
 * weights for BGR (Caffe's) then take RGB, and vice versa. Further channels keep their place. Means and scales of the
 * preprocessing are not included.
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
 * Adds an input channel, such as depth, whose kernel is the mean of the first three. `as` renames the layer, like
 * conv1_1 to conv1_1_bgrd in the published RGB-D net. Source: `nyud-fcn32s-color-d` of the reference implementation.
 */
export function addMeanChannel(
  state: HostState,
  layer: string,
  { as = layer }: { readonly as?: string } = {},
): HostState {
  const { weight, outputs, inputs, area } = firstConvolution("addMeanChannel", state, layer);
  const values = Float32Array.from<number | bigint>(weight.data, Number);
  const data = new Float32Array(outputs * (inputs + 1) * area);
  for (let output = 0; output < outputs; output++) {
    const own = values.subarray(output * inputs * area, (output + 1) * inputs * area);
    const mean = own.subarray(0, area).map((red, i) => (red + own[area + i]! + own[2 * area + i]!) / 3);
    data.set(own, output * (inputs + 1) * area);
    data.set(mean, (output * (inputs + 1) + inputs) * area);
  }
  const [, , kh = 0, kw = 0] = weight.shape;
  const { [`${layer}.weight`]: _weight, [`${layer}.bias`]: bias, ...rest } = state;
  const widened: io.HostArray = { dtype: "float32", shape: [outputs, inputs + 1, kh, kw], data };
  return { ...rest, [`${as}.weight`]: widened, ...(bias === undefined ? {} : { [`${as}.bias`]: bias }) };
}
