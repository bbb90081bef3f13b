import * as t from "@fcn/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true, debug: { poison: true } });
});
afterAll(() => device?.destroy());

it.each([
  ["all", [3_000_001], undefined],
  ["rows", [3, 500_000], 1],
  ["columns", [500_000, 3], 0],
] as const)("the mean of many equal values over %s is that value", async (_, shape, dim) => {
  await device.scope(async () => {
    const values = await t.mean(device.full(shape, 1.1), { dim }).data();
    // One value after the other is off by 1.5e-5.
    for (const value of values) expect(Math.abs(value / 1.1 - 1)).toBeLessThan(3e-6);
  });
});

it("the gradient of a mean is the share of each element", async () => {
  await device.scope(async () => {
    const x = device.ones([4, 3], { requiresGrad: true });
    t.mean(x, { dim: 0 }).backward(device.tensor([1, 2, 3]));
    expect(Array.from(await x.grad!.data())).toEqual(Array(4).fill([0.25, 0.5, 0.75]).flat());
  });
});

it("the gradient of a maximum over a middle dim goes to where it is", async () => {
  await device.scope(async () => {
    const x = device.tensor([1, 5, 9, 4, 2, 3, 7, 8, 0, 6, 10, 11], [2, 3, 2], { requiresGrad: true });
    t.max(x, { dim: 1 }).backward(device.tensor([1, 2, 3, 4], [2, 2]));
    expect(Array.from(await x.grad!.data())).toEqual([0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 3, 4]);
  });
});
