import * as t from "@fcn/tensor";
import { afterAll, beforeAll } from "vitest";
import type { ConvCase } from "./convolution.js";
import { roundedToHalf, TINY, UNIT } from "./half.js";
import { type Nd, random } from "./nd.js";

export const FLOAT16 = { dtype: "float16" } as const;
/** Roundings of float32, as a share of the largest value; those of minimal filtering are the largest. */
export const SUMS = 1e-5;

/** Devices that between them run every kernel: whole and in parts, with and without subgroups. */
export const DEVICES: Readonly<Record<string, t.DeviceOptions>> = {
  "the adapter's own limits and features": {},
  "default limits, no subgroups": { limits: "default", subgroups: false },
  "kernels through workgroup memory": { variants: ["workgroup"] },
  "small bindings and poisoned buffers": { bindingLimit: 8192, debug: { poison: true } },
  "small buffers": { bindingLimit: 8192, bufferLimit: 8192 } as t.DeviceOptions,
};

/** Opens the devices of {@link DEVICES} for the tests of a file. Returns the one with a name, once tests run. */
export function openDevices(): (name: string) => t.Device {
  const devices: Record<string, t.Device> = {};
  beforeAll(async () => {
    for (const [name, options] of Object.entries(DEVICES)) {
      devices[name] = await t.createDevice({ quiet: true, ...options });
    }
  });
  afterAll(() => {
    for (const device of Object.values(devices)) device.destroy();
  });
  return (name) => devices[name]!;
}

/** Every kernel of the family: with and without vectors, groups, strides, one filter a channel, minimal filtering. */
export const CONVOLUTIONS: Readonly<Record<string, ConvCase>> = {
  "3x3": { n: 2, channels: [8, 36], size: [9, 17], kernel: [3, 3], padding: [1, 1] },
  "3x3 of 32 channels": { channels: [32, 32], size: [20, 18], kernel: [3, 3], padding: [1, 1] },
  "odd channels": { n: 2, channels: [3, 21], size: [10, 9], kernel: [3, 2], stride: [2, 1], padding: [1, 0] },
  "groups, dilation": { channels: [16, 56], size: [8, 7], kernel: [2, 2], dilation: [2, 3], groups: 2 },
  "many channels of a small image": { channels: [120, 16], size: [5, 3], kernel: [3, 3], padding: [1, 1] },
  upsampling: { channels: [5, 5], size: [24, 24], kernel: [8, 8], stride: [4, 4], padding: [2, 2] },
  "one filter a channel": { n: 2, channels: [12, 12], size: [11, 19], kernel: [3, 3], padding: [1, 1], groups: 12 },
  "one filter in each of 5": { channels: [5, 5], size: [24, 24], kernel: [4, 4], stride: [2, 2], groups: 5 },
};

/** Random numbers that float16 holds exactly. */
export const halves = (shape: readonly number[], seed: number, low?: number, high?: number): Nd => {
  const { data } = random(shape, seed, low, high);
  return { shape, data: data.map(roundedToHalf) };
};

export const nd = (shape: readonly number[], data: ArrayLike<number>): Nd => ({ shape, data: Float64Array.from(data) });

/** These values as a tensor. */
export const tensorOf = (device: t.Device, { data, shape }: Nd, options: t.MakeOptions = {}): t.Tensor =>
  device.tensor(Float32Array.from(data), shape, options);

/** How far each value may be off. */
export interface Allowed {
  /** As a share of it: {@link UNIT} for each rounding to 11 bits. */
  readonly each: number;
  /** As a share of the largest. Default {@link SUMS}. */
  readonly largest?: number;
}

/** Expects a tensor of this dtype with the values of `expected`. */
export async function expectNear(
  what: string,
  got: t.Tensor | undefined,
  dtype: "float16" | "float32",
  expected: Nd,
  { each, largest = SUMS }: Allowed,
): Promise<void> {
  if (got?.dtype !== dtype || got.shape.join() !== expected.shape.join()) {
    throw new Error(`${what} is ${got?.dtype} [${got?.shape}], expected ${dtype} [${expected.shape}]`);
  }
  const values = await got.data();
  const scale = expected.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  for (const [i, v] of expected.data.entries()) {
    const allowed = each * Math.abs(v) + largest * scale + (dtype === "float16" ? TINY : 0);
    if (Math.abs(values[i]! - v) <= allowed) continue;
    throw new Error(`${what}: element ${i} is ${values[i]}, expected ${v} within ${allowed}`);
  }
  // Stored as halves, values have no more digits than those.
  if (dtype === "float32" || values.every((v) => Object.is(v, roundedToHalf(v)))) return;
  throw new Error(`${what}: a value is no float16`);
}

/** A float16 result, rounded once from sums in float32. */
export const expectRounded = (what: string, got: t.Tensor | undefined, expected: Nd): Promise<void> =>
  expectNear(what, got, "float16", expected, { each: UNIT });

/** A float32 result, with the roundings of float32 alone. */
export const expectSummed = (what: string, got: t.Tensor | undefined, expected: Nd): Promise<void> =>
  expectNear(what, got, "float32", expected, { each: 0 });
