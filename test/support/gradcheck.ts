import type { Device, Tensor } from "@fcn/tensor";
import { expect } from "vitest";
import { dot, type Nd, random, step } from "./nd.js";

export interface GradCase {
  readonly inputs: readonly Nd[];
  /** Storage order of each input; row-major where missing. */
  readonly orders?: readonly (readonly number[])[];
  readonly run: (...inputs: Tensor[]) => Tensor;
  readonly reference: (...inputs: Nd[]) => Nd;
  readonly seed: number;
  /** Relative error allowed, of the largest term. Default 2e-5: some hundred roundings of float32. */
  readonly tolerance?: number;
}

const STEP = 1e-6;

/** Largest deviation, as a share of the largest expected magnitude (at least 1e-3). */
function expectClose(label: string, actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length, label).toBe(expected.length);
  let scale = 1e-3;
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i]!));
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs(actual[i]! - expected[i]!);
    if (!(off <= tolerance * scale)) {
      throw new Error(`${label}: element ${i} is ${actual[i]}, expected ${expected[i]} within ${tolerance * scale}`);
    }
  }
}

/**
 * Compares an op with its float64 reference, and its gradient along a random direction of each input with the central
 * difference of the reference along that direction.
 */
export async function gradCheck(device: Device, c: GradCase): Promise<void> {
  const { inputs, orders = [], run, reference, seed, tolerance = 2e-5 } = c;
  await device.scope(async () => {
    const leaves = inputs.map(({ data, shape }, i) => {
      const order = orders[i];
      return device.tensor(Float32Array.from(data), shape, { requiresGrad: true, ...(order && { order }) });
    });
    const y = run(...leaves);
    const expected = reference(...inputs);
    expect(y.shape).toEqual(expected.shape);
    expectClose("forward", await y.data(), expected.data, tolerance);
    const weights = random(y.shape, seed + 1);
    y.backward(device.tensor(Float32Array.from(weights.data), y.shape));
    for (const [i, leaf] of leaves.entries()) {
      const grad = await leaf.grad!.data();
      expect(leaf.grad!.shape).toEqual(leaf.shape);
      const direction = random(leaf.shape, seed + 2 + i);
      const moved = (h: number) => reference(...inputs.map((x, k) => (k === i ? step(x, direction, h) : x)));
      const [above, below] = [moved(STEP).data, moved(-STEP).data];
      const slope = dot(
        weights.data,
        above.map((v, k) => (v - below[k]!) / (2 * STEP)),
      );
      const terms = dot(grad.map(Math.abs), direction.data.map(Math.abs));
      const off = Math.abs(dot(grad, direction.data) - slope);
      // The central difference itself is good to about 1e-9 of the values, divided by the step.
      expect(off, `gradient of input ${i}`).toBeLessThanOrEqual(tolerance * Math.max(terms, 1e-2));
    }
  });
}
