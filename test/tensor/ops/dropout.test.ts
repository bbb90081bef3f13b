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

  it.each([
    ["dropout", t.dropout],
    ["dropout2d", t.dropout2d],
  ] as const)(
    "%s draws another mask at each call that gives no seed, and repeats on another device",
    async (_, run) => {
      const masks = async (on: t.Device) => {
        using x = on.ones([4, 64, 1, 1]);
        using first = run(x);
        using second = run(x);
        return [await first.data(), await second.data()];
      };
      using one = await t.createDevice({ quiet: true });
      using other = await t.createDevice({ quiet: true });
      const drawn = await masks(one);
      expect(drawn[0]).not.toEqual(drawn[1]);
      expect(await masks(other)).toEqual(drawn);
      expect(() => run(one.ones([1, 1, 1, 1]), { seed: -1 })).toThrow(
        expect.objectContaining({ code: "invalid-argument" }),
      );
    },
  );

  it("with p = 1 is zero, and so is its gradient", async () => {
    await device.scope(async () => {
      const x = device.ones([37], { requiresGrad: true });
      const y = t.dropout(x, { p: 1 });
      t.sum(y).backward();
      expect([await y.data(), await x.grad!.data()]).toEqual([new Float32Array(37), new Float32Array(37)]);
      expect(() => t.dropout(x, { p: 1.1 })).toThrow(expect.objectContaining({ code: "invalid-argument" }));
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

it("masks do not follow rand of the same seed, nor what was given no seed what was given one", async () => {
  using own = await t.createDevice({ quiet: true });
  await own.scope(async () => {
    const count = 4096;
    const mask = await t.dropout(own.ones([count]), { p: 0.5, seed: 3 }).data();
    const uniform = await own.rand([count], { seed: 3 }).data();
    const agreeing = mask.filter((v, i) => v > 0 === uniform[i]! >= 0.5).length;
    // Six standard deviations of a fair coin.
    expect(Math.abs(agreeing - count / 2)).toBeLessThan(6 * Math.sqrt(count / 4));
    const unseeded = await Promise.all([own.rand([8]).data(), own.randn([8]).data(), own.rand([8]).data()]);
    const seeded = await Promise.all([0, 1, 2].map((seed) => own.rand([8], { seed }).data()));
    for (const drawn of unseeded) for (const other of seeded) expect(drawn).not.toEqual(other);
  });
});
