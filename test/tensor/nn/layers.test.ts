import { createDevice, type Device, nn, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: Device;
beforeAll(async () => {
  device = await createDevice();
});
afterAll(() => device?.destroy());

const values = async (tensor: Tensor | undefined): Promise<number[]> => Array.from(await tensor!.data());

describe("start values", () => {
  it("are uniform within 1 / sqrt(fanIn), as PyTorch's", async () => {
    await device.scope(async () => {
      const conv = new nn.Conv2d(device, 32, 64, { kernelSize: 3, groups: 2, seed: 4 });
      const up = new nn.ConvTranspose2d(device, 8, 16, { kernelSize: 4, seed: 4 });
      for (const [layer, fanIn] of [
        [conv, 16 * 9],
        [up, 16 * 16],
      ] as const) {
        const weight = await values(layer.weight);
        const bound = 1 / Math.sqrt(fanIn);
        const deviation = Math.sqrt(weight.reduce((total, w) => total + w * w, 0) / weight.length);
        const mean = weight.reduce((total, w) => total + w, 0) / weight.length;
        expect(Math.max(...weight.map(Math.abs))).toBeLessThanOrEqual(bound * (1 + 1e-6));
        // Six standard errors of the two estimates.
        expect(Math.abs(deviation / (bound / Math.sqrt(3)) - 1)).toBeLessThan((6 * 0.45) / Math.sqrt(weight.length));
        expect(Math.abs(mean)).toBeLessThan((6 * bound) / Math.sqrt(3 * weight.length));
        expect(Math.max(...(await values(layer.bias)).map(Math.abs))).toBeLessThanOrEqual(bound * (1 + 1e-6));
      }
    });
  });

  it("follow the seed; layers without one differ", async () => {
    await device.scope(async () => {
      const make = (seed?: number) =>
        new nn.Conv2d(device, 2, 3, { kernelSize: 3, ...(seed === undefined ? {} : { seed }) });
      const weights = await Promise.all(
        [make(1), make(1), make(2), make(), make()].map(({ weight }) => values(weight)),
      );
      expect(weights[0]).toEqual(weights[1]);
      expect(weights[0]).not.toEqual(weights[2]);
      expect(weights[3]).not.toEqual(weights[4]);
    });
  });

  it("refuse channels that the groups do not divide", () => {
    expect(() => new nn.Conv2d(device, 6, 4, { kernelSize: 1, groups: 4 })).toThrow(
      "nn.Conv2d: inChannels 6, outChannels 4, groups 4; each must be a positive integer, and groups must divide both",
    );
    expect(() => new nn.Conv2d(device, 1, 1, { kernelSize: 0 })).toThrow(/nn.Conv2d: kernelSize is 0/);
    expect(() => new nn.BatchNorm2d(device, 2.5)).toThrow(/nn.BatchNorm2d: inChannels 2.5/);
  });
});

describe("layers", () => {
  it("pass their options on", async () => {
    await device.scope(async () => {
      const x = device.rand([2, 4, 9, 7], { seed: 1 });
      const shape = (layer: nn.Module) => (layer.forward(x) as Tensor).shape;
      const conv = {
        kernelSize: [3, 2] as const,
        stride: [2, 1] as const,
        padding: 1,
        dilation: [1, 2] as const,
        groups: 2,
      };
      expect(shape(new nn.Conv2d(device, 4, 6, conv))).toEqual([2, 6, 5, 7]);
      const up = { kernelSize: 4, stride: 2, padding: 1, outputPadding: [1, 0] as const };
      expect(shape(new nn.ConvTranspose2d(device, 4, 3, up))).toEqual([2, 3, 19, 14]);
      expect(shape(new nn.MaxPool2d({ kernelSize: 2, stride: 2, ceilMode: true }))).toEqual([2, 4, 5, 4]);
      expect(shape(new nn.AvgPool2d({ kernelSize: 3 }))).toEqual([2, 4, 3, 2]);
      expect(shape(new nn.Upsample({ scaleFactor: 2, mode: "bilinear" }))).toEqual([2, 4, 18, 14]);
    });
  });

  it("activate as they are called", async () => {
    await device.scope(async () => {
      const x = device.tensor([-2, 0, 3, 9]);
      expect(await values(new nn.ReLU().forward(x))).toEqual([0, 0, 3, 9]);
      expect(await values(new nn.ReLU6().forward(x))).toEqual([0, 0, 3, 6]);
      expect(await values(new nn.LeakyReLU({ negativeSlope: 0.5 }).forward(x))).toEqual([-1, 0, 3, 9]);
      expect((await values(new nn.Sigmoid().forward(x)))[1]).toBe(0.5);
    });
  });

  it("normalise the batch in training and by the running statistics in evaluation", async () => {
    await device.scope(async () => {
      const bn = new nn.BatchNorm2d(device, 1, { momentum: 0.5, eps: 0 });
      const x = device.tensor([1, 3, 5, 7], [1, 1, 2, 2]);
      const trained = await values(bn.forward(x));
      [-3, -1, 1, 3].forEach((v, i) => {
        expect(trained[i]).toBeCloseTo(v / Math.sqrt(5), 5);
      });
      // Half of the start values 0 and 1, half of the batch's mean 4 and unbiased variance 20 / 3.
      expect((await values(bn.runningMean))[0]).toBeCloseTo(2, 5);
      expect((await values(bn.runningVar))[0]).toBeCloseTo((1 + 20 / 3) / 2, 5);
      const evaluated = await values(bn.eval().forward(x));
      expect(evaluated[0]).toBeCloseTo(-1 / Math.sqrt((1 + 20 / 3) / 2), 5);
    });
  });

  it("normalise groups of channels of each image, in training and evaluation alike", async () => {
    await device.scope(async () => {
      const layer = new nn.GroupNorm(device, 2, 4, { eps: 0 });
      const x = device.tensor([1, 3, 5, 7, 10, 10, 20, 20], [1, 4, 1, 2]);
      const normed = [-3, -1, 1, 3].map((v) => v / Math.sqrt(5));
      for (const mode of [true, false]) {
        const y = await values(layer.train(mode).forward(x));
        for (const [i, v] of [...normed, -1, -1, 1, 1].entries()) expect(y[i]).toBeCloseTo(v, 5);
      }
      expect(Object.keys(layer.stateDict())).toEqual(["weight", "bias"]);
      expect(() => new nn.GroupNorm(device, 3, 4)).toThrow("nn.GroupNorm: inChannels 4, outChannels 4, groups 3");
    });
  });

  it("drop anew in each call of training, alike for one seed, and nothing in evaluation", async () => {
    await device.scope(async () => {
      const x = device.ones([2, 64, 4, 4]);
      const run = async (layer: nn.Module) => values(layer.forward(x) as Tensor);
      const [a, b] = [new nn.Dropout({ p: 0.25, seed: 8 }), new nn.Dropout({ p: 0.25, seed: 8 })];
      const [first, second] = [await run(a), await run(a)];
      expect(first).not.toEqual(second);
      expect([await run(b), await run(b)]).toEqual([first, second]);
      expect(new Set(first)).toEqual(new Set([0, Math.fround(4 / 3)]));
      // 2048 draws; six standard deviations are 0.058.
      expect(Math.abs(first.filter((v) => v === 0).length / first.length - 0.25)).toBeLessThan(0.06);
      expect(new Set(await run(a.eval()))).toEqual(new Set([1]));
      const planes = await run(new nn.Dropout2d({ p: 0.5, seed: 1 }));
      const kinds = Array.from({ length: 128 }, (_, i) => new Set(planes.slice(i * 16, (i + 1) * 16)));
      expect(kinds.every((kind) => kind.size === 1)).toBe(true);
      expect(new Set(planes)).toEqual(new Set([0, 2]));
    });
  });
});
