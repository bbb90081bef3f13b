import * as t from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true, debug: { poison: true } });
});
afterAll(() => device?.destroy());

describe("dropout", () => {
  it.each([
    ["dropout", t.dropout],
    ["dropout2d", t.dropout2d],
  ] as const)("%s uses one mask in both directions, by seed, and keeps the mean", async (name, run) => {
    await device.scope(async () => {
      const p = 0.3;
      const shape = [8, 64, 12, 12];
      const x = device.ones(shape, { requiresGrad: true });
      const y = run(x, { p, seed: 7 });
      t.sum(y).backward();
      const values = Float32Array.from(await y.data());
      expect(await x.grad!.data()).toEqual(values);
      expect(await run(x, { p, seed: 7 }).data()).toEqual(values);
      expect(await run(x, { p, seed: 8 }).data()).not.toEqual(values);
      const scale = Math.fround(1 / (1 - p));
      expect([...new Set(values)].every((v) => v === 0 || Math.abs(v - scale) < 1e-6)).toBe(true);
      const draws = name === "dropout" ? values.length : 8 * 64;
      // Six standard deviations of the mean of `draws` scaled coins.
      const bound = 6 * Math.sqrt(p / (1 - p) / draws);
      expect(Math.abs(values.reduce((a, b) => a + b, 0) / values.length - 1)).toBeLessThan(bound);
    });
  });

  it("dropout2d drops whole channels", async () => {
    await device.scope(async () => {
      const y = await t.dropout2d(device.ones([3, 10, 4, 5]), { p: 0.5, seed: 3 }).data();
      const channels = Array.from({ length: 30 }, (_, c) => new Set(y.slice(c * 20, c * 20 + 20)));
      expect(channels.every((values) => values.size === 1)).toBe(true);
      expect(new Set(channels.flatMap((values) => [...values])).size).toBe(2);
    });
  });

  it("passes values and gradients through without training", async () => {
    await device.scope(async () => {
      const x = device.randn([5], { seed: 1, requiresGrad: true });
      const y = t.dropout(x, { training: false });
      t.sum(y).backward();
      expect(await y.data()).toEqual(await x.data());
      expect(await x.grad!.data()).toEqual(new Float32Array(5).fill(1));
    });
  });
});
