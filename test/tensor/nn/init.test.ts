import { readFileSync } from "node:fs";
import { bilinearKernel } from "@fcn/core";
import { createDevice, type Device, nn, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

type Filler = "xavierUniform_" | "xavierNormal_" | "kaimingUniform_" | "kaimingNormal_";

interface Golden {
  readonly gains: readonly { nonlinearity: nn.init.Nonlinearity; param: number | null; gain: number }[];
  readonly ranges: readonly { name: Filler; shape: number[]; options: object; bound?: number; std?: number }[];
}

interface Truncated {
  readonly options: { readonly a?: number; readonly b?: number };
  readonly mean: number;
  readonly std: number;
  readonly middle: number;
  readonly below: number;
}

const { init: golden, truncated } = JSON.parse(
  readFileSync(new URL("../../golden/torch_nn.json", import.meta.url), "utf8"),
) as { readonly init: Golden; readonly truncated: readonly Truncated[] };

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true, bindingLimit: 65536, debug: { poison: true } });
});
afterAll(() => device?.destroy());

/** Mean, standard deviation and the largest distance from 0. */
async function momentsOf(t: Tensor): Promise<{ mean: number; std: number; most: number; count: number }> {
  const data = Array.from(await t.data());
  const count = data.length;
  const mean = data.reduce((total, v) => total + v, 0) / count;
  const std = Math.sqrt(data.reduce((total, v) => total + (v - mean) ** 2, 0) / count);
  return { mean, std, most: data.reduce((most, v) => Math.max(most, Math.abs(v)), 0), count };
}

describe("nn.init", () => {
  it("knows PyTorch's gains", () => {
    for (const { nonlinearity, param, gain } of golden.gains) {
      expect(nn.init.calculateGain(nonlinearity, param ?? undefined)).toBeCloseTo(gain, 12);
    }
    expect(() => nn.init.calculateGain("gelu" as "relu")).toThrow(/nonlinearity is "gelu", expected "linear"/);
  });

  it.each(golden.ranges)(
    "$name of $shape with $options has PyTorch's range",
    async ({ name, shape, options, ...want }) => {
      await device.scope(async () => {
        const t = device.zeros(shape);
        expect(nn.init[name](t, { ...options, seed: 3 })).toBe(t);
        const { mean, std, most, count } = await momentsOf(t);
        const expected = want.std ?? want.bound! / Math.sqrt(3);
        // Six standard errors; the deviation of a normal sample varies most, by 1 / sqrt(2 count).
        expect(Math.abs(std / expected - 1)).toBeLessThan(6 / Math.sqrt(2 * count));
        expect(Math.abs(mean)).toBeLessThan((6 * expected) / Math.sqrt(count));
        if (want.bound !== undefined) {
          expect(most).toBeLessThanOrEqual(want.bound * (1 + 1e-6));
          expect(most).toBeGreaterThan(want.bound * 0.99);
        } else expect(most).toBeGreaterThan(3 * expected);
      });
    },
  );

  it("fills within bounds, by the seed and in the memory of the tensor", async () => {
    await device.scope(async () => {
      const conv = new nn.Conv2d(device, 8, 16, { kernelSize: 3, seed: 1 });
      const { weight } = conv;
      nn.init.uniform_(weight, { a: 2, b: 3, seed: 5 });
      const first = await weight.data();
      expect(Math.min(...first)).toBeGreaterThanOrEqual(2);
      expect(Math.max(...first)).toBeLessThan(3);
      expect(weight.requiresGrad).toBe(true);
      expect(conv.weight).toBe(weight);
      const row = device.zeros(weight.shape);
      expect(await nn.init.uniform_(row, { a: 2, b: 3, seed: 5 }).data()).toEqual(first);
      expect(await nn.init.uniform_(weight, { a: 2, b: 3, seed: 6 }).data()).not.toEqual(first);
      expect(await nn.init.uniform_(row).data()).not.toEqual(await nn.init.uniform_(weight).data());
    });
  });

  it("draws around a mean that is above the deviation", async () => {
    await device.scope(async () => {
      const { mean, std } = await momentsOf(nn.init.normal_(device.zeros([100, 300]), { mean: 4, std: 0.5, seed: 2 }));
      expect(Math.abs(mean - 4)).toBeLessThan((6 * 0.5) / Math.sqrt(30_000));
      expect(Math.abs(std / 0.5 - 1)).toBeLessThan(6 / Math.sqrt(60_000));
    });
  });

  it.each(truncated)("draws normal numbers between bounds with $options as PyTorch does", async (want) => {
    await device.scope(async () => {
      const t = device.zeros([300, 400]);
      expect(nn.init.truncNormal_(t, { ...want.options, seed: 4 })).toBe(t);
      const { mean, std, count } = await momentsOf(t);
      expect(Math.abs(mean - want.mean)).toBeLessThan((6 * want.std) / Math.sqrt(count));
      expect(Math.abs(std / want.std - 1)).toBeLessThan(6 / Math.sqrt(2 * count));
      const { a = -2, b = 2 } = want.options;
      const values = Array.from(await t.data());
      expect(values.every((v) => v >= Math.fround(a) && v <= Math.fround(b))).toBe(true);
      const below = values.filter((v) => v < want.middle).length / count;
      expect(Math.abs(below - want.below)).toBeLessThan(3 / Math.sqrt(count));
      const again = device.zeros([300, 400]);
      expect(await nn.init.truncNormal_(again, { ...want.options, seed: 4 }).data()).toEqual(await t.data());
    });
  });

  it("fills with constants", async () => {
    await device.scope(async () => {
      const t = device.full([2, 3], 7);
      expect(await nn.init.constant_(t, 0.25).array()).toEqual([
        [0.25, 0.25, 0.25],
        [0.25, 0.25, 0.25],
      ]);
      expect(Array.from(await nn.init.ones_(t).data())).toEqual(Array(6).fill(1));
      expect(Array.from(await nn.init.zeros_(t).data())).toEqual(Array(6).fill(0));
    });
  });

  it.each([
    [3, 3, 4],
    [2, 1, 3],
    [5, 5, 1],
    [1, 1, 16],
  ] as const)("bilinear_ gives a weight [%i, %i, k = %i] the paper's kernel", async (rows, columns, size) => {
    await device.scope(async () => {
      const groups = columns === 1 ? rows : 1;
      const up = new nn.ConvTranspose2d(device, rows, rows, { kernelSize: size, groups, bias: false });
      expect(await nn.init.bilinear_(up.weight).data()).toEqual(bilinearKernel(rows, columns, size).data);
    });
  });

  it("fills in a captured step anew at each replay", async () => {
    await device.scope(async () => {
      const t = device.zeros([4]);
      const step = device.capture((x: Tensor) => {
        nn.init.uniform_(t);
        return x.reshape([2, 1]);
      });
      const seen: string[] = [];
      for (let i = 0; i < 3; i++) {
        await step(device.ones([2]));
        seen.push(String(await t.data()));
      }
      expect(new Set(seen).size).toBe(3);
      step.dispose();
    });
  });

  it("leaves nothing behind", async () => {
    await device.scope(async () => {
      const t = device.zeros([20, 30]);
      const { liveTensors } = device.memory();
      nn.init.kaimingNormal_(t);
      nn.init.xavierUniform_(t);
      nn.init.zeros_(t);
      expect(device.memory().liveTensors).toBe(liveTensors);
    });
  });

  it("refuses what it cannot fill", async () => {
    await device.scope(() => {
      const bias = device.zeros([4]);
      expect(() => nn.init.xavierUniform_(bias)).toThrow(
        /xavierUniform_: the tensor has shape \[4\], expected at least two/,
      );
      expect(() => nn.init.kaimingNormal_(bias)).toThrow(/kaimingNormal_: the tensor has shape \[4\]/);
      expect(() => nn.init.xavierNormal_(bias, null as never)).toThrow(/xavierNormal_: the options are null/);
      expect(() => nn.init.uniform_(bias, { a: 2, b: 1 })).toThrow(/a is 2 and b 1/);
      expect(() => nn.init.truncNormal_(bias, { a: 2, b: 1 })).toThrow(/truncNormal_: a is 2 and b 1/);
      expect(() => nn.init.truncNormal_(bias, { std: 0 })).toThrow(/std is 0/);
      expect(() => nn.init.normal_(bias, { std: -1 })).toThrow(/std is -1/);
      expect(() => nn.init.normal_(device.tensor([1], [1], { dtype: "int32" }))).toThrow(
        /normal_: tensor .* dtype int32/,
      );
      expect(() => nn.init.kaimingUniform_(bias, { mode: "fan_in" as "fanIn" })).toThrow(/mode is "fan_in"/);
      expect(() => nn.init.bilinear_(device.zeros([2, 3, 4, 4]))).toThrow(/expected \[channels, channels, kh, kw\]/);
    });
  });
});
