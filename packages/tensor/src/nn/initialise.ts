import type { Tensor } from "../core/tensor.js";
import type { Device } from "../device.js";
import { invalidArgument } from "../plain/errors.js";
import { WEIGHT_ORDER } from "../plain/layout.js";

const layersMade = new WeakMap<Device, number>();

/**
 * The seed of a layer that was given none: the number of such layers created on the device before it. So layers differ
 * from each other, but not from run to run.
 */
export function nextSeed(device: Device): number {
  const seed = layersMade.get(device) ?? 0;
  layersMade.set(device, seed + 1);
  return seed;
}

/** Derives a seed for a part or call of a layer (MurmurHash3's finaliser). */
export function mixSeed(seed: number, part: number): number {
  let z = (Math.imul(part + 1, 0x9e3779b9) + seed) >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

/**
 * Initial values as in PyTorch: weight and bias are uniform within 1 / sqrt(fanIn), where fanIn is the number of
 * weights in one slice of the first dimension (torch.nn.init.kaiming_uniform_ with a = sqrt(5)).
 */
export function convolutionParameters(
  device: Device,
  shape: readonly [number, number, number, number],
  biasLength: number | undefined,
  seed: number,
): { weight: Tensor; bias: Tensor | undefined } {
  const bound = 1 / Math.sqrt(shape[1] * shape[2] * shape[3]);
  const range = { low: -bound, high: bound };
  const weight = device.rand([...shape], { ...range, seed: mixSeed(seed, 0), order: WEIGHT_ORDER });
  const bias = biasLength === undefined ? undefined : device.rand([biasLength], { ...range, seed: mixSeed(seed, 1) });
  return { weight, bias };
}

/**
 * A weight for conv2d [out, in / groups, kh, kw] or convTranspose2d from host values in row-major order. It is stored
 * in the memory format that convolutions read, so that no call has to copy it.
 */
export function convolutionWeight(device: Device, data: ArrayLike<number>, shape: readonly number[]): Tensor {
  return device.tensor(data, shape, { order: WEIGHT_ORDER });
}

/** Throws `invalid-argument` unless both channel numbers are positive integers that `groups` divides. */
export function checkChannels(op: string, inChannels: number, outChannels: number, groups: number): void {
  const positive = [inChannels, outChannels, groups].every((value) => Number.isInteger(value) && value >= 1);
  if (positive && inChannels % groups === 0 && outChannels % groups === 0) return;
  throw invalidArgument(
    `${op}: inChannels ${inChannels}, outChannels ${outChannels}, groups ${groups}; each must be a positive integer, and groups must divide both channel numbers`,
    "correct the channel numbers, or use groups: 1",
  );
}
