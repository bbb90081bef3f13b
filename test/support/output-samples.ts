import type { Tensor } from "@fcn/tensor";
import { expect } from "vitest";
import { type HostTensor, norm } from "./golden.js";

/** What a golden file keeps of an output: its shape, range and norm; evenly spaced values are stored beside it. */
export interface OutputSummary {
  readonly shape: readonly number[];
  readonly range: number;
  readonly norm: number;
}

/** The output or the heads of a net, by name. */
export function headsOf(output: Tensor | Record<string, Tensor>): Record<string, Tensor> {
  return "shape" in output ? { out: output as Tensor } : (output as Record<string, Tensor>);
}

/** Every `step`th value. */
export const thin = (data: ArrayLike<number>, step: number): number[] =>
  Array.from({ length: Math.ceil(data.length / step) }, (_, i) => data[i * step] ?? Number.NaN);

/** Compares shape, norm and the stored values, every `step`th one; differences may be `share` of the range. */
export async function expectOutput(
  label: string,
  got: Tensor,
  want: OutputSummary,
  { samples, step, share }: { readonly samples: HostTensor; readonly step: number; readonly share: number },
): Promise<void> {
  expect(got.shape, label).toEqual(want.shape);
  const data = await got.data();
  const kept = thin(data, step);
  expect(kept.length, label).toBe(samples.data.length);
  const worst = kept.reduce((most, value, i) => Math.max(most, Math.abs(value - (samples.data[i] ?? Number.NaN))), 0);
  expect(worst / want.range, `${label}, largest difference as a share of the range`).toBeLessThan(share);
  expect(Math.abs(norm(data) / want.norm - 1), `${label}, norm`).toBeLessThan(share);
}
