import * as t from "@fcn/tensor";
import { createDevice, type Device, nn, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const values = async (tensor: Tensor | undefined): Promise<number[]> => Array.from(await tensor!.data());

describe("nn.Linear", () => {
  it("starts uniform within 1 / sqrt(in), by its seed, and is linear", async () => {
    await device.scope(async () => {
      const layer = new nn.Linear(device, 64, 32, { seed: 3 });
      expect(layer.weight.shape).toEqual([32, 64]);
      const weight = await values(layer.weight);
      for (const own of [weight, await values(layer.bias)]) {
        const most = Math.max(...own.map(Math.abs));
        expect(most).toBeLessThanOrEqual(1 / 8);
        expect(most).toBeGreaterThan(0.9 / 8);
      }
      expect(await values(new nn.Linear(device, 64, 32, { seed: 3 }).weight)).toEqual(weight);
      expect(await values(new nn.Linear(device, 64, 32).weight)).not.toEqual(weight);
      const x = device.randn([2, 3, 64], { seed: 1 });
      expect(await values(layer.forward(x))).toEqual(await values(t.linear(x, layer.weight, layer.bias)));
      expect(Object.keys(layer.stateDict())).toEqual(["weight", "bias"]);
      const bare = new nn.Linear(device, 3, 2, { bias: false });
      expect(Object.keys(bare.stateDict())).toEqual(["weight"]);
      expect(bare.forward(device.ones([3])).shape).toEqual([2]);
      expect(() => new nn.Linear(device, 0, 2)).toThrow(
        /nn.Linear: inFeatures is 0, expected a whole number of at least 1/,
      );
    });
  });
});

describe("nn.LayerNorm", () => {
  it("normalises, scales and shifts", async () => {
    await device.scope(async () => {
      const layer = new nn.LayerNorm(device, [2, 2], { eps: 0 });
      const x = device.tensor([1, 3, 5, 7, 10, 10, 20, 20], [2, 2, 2]);
      const normed = [...[-3, -1, 1, 3].map((v) => v / Math.sqrt(5)), -1, -1, 1, 1];
      for (const [i, v] of (await values(layer.forward(x))).entries()) expect(v).toBeCloseTo(normed[i]!, 5);
      layer.weight!.assign([1, 2, 3, 4]);
      layer.bias!.assign([0, 0, 0, 5]);
      const scaled = await values(layer.forward(x));
      for (const [i, v] of scaled.entries())
        expect(v).toBeCloseTo(normed[i]! * ((i % 4) + 1) + (i % 4 === 3 ? 5 : 0), 4);
      expect(Object.keys(layer.stateDict())).toEqual(["weight", "bias"]);
      const bare = new nn.LayerNorm(device, 2, { elementwiseAffine: false });
      expect(bare.parameters()).toEqual([]);
      expect((await values(bare.forward(x)))[0]).toBeCloseTo(-1, 4);
      expect(() => new nn.LayerNorm(device, [])).toThrow(/normalizedShape is \[\], expected/);
    });
  });
});

describe("layers without parameters", () => {
  it("Identity, Flatten and AdaptiveAvgPool2d", async () => {
    await device.scope(async () => {
      const x = device.randn([2, 3, 4, 5], { seed: 1 });
      expect(new nn.Identity().forward(x)).toBe(x);
      expect(new nn.Flatten().forward(x).shape).toEqual([2, 60]);
      expect(new nn.Flatten({ startDim: 0 }).forward(x).shape).toEqual([120]);
      expect(new nn.Flatten({ startDim: -3, endDim: 2 }).forward(x).shape).toEqual([2, 12, 5]);
      expect(() => new nn.Flatten({ startDim: 2, endDim: 1 }).forward(x)).toThrow(/startDim 2 lies behind endDim 1/);
      expect(() => new nn.Flatten({ endDim: 4 }).forward(x)).toThrow(/dim is 4/);
      const head = new nn.Sequential(
        new nn.AdaptiveAvgPool2d({ outputSize: 1 }),
        new nn.Flatten(),
        new nn.Linear(device, 3, 7),
      );
      expect(head.forward(x).shape).toEqual([2, 7]);
      expect(() => new nn.AdaptiveAvgPool2d({} as { outputSize: 1 })).toThrow(/outputSize is missing/);
    });
  });
});

describe("activations", () => {
  it("are the functions of their names", async () => {
    await device.scope(async () => {
      const x = device.randn([3, 7], { seed: 4 });
      const rows: [nn.Module, Tensor][] = [
        [new nn.Tanh(), t.tanh(x)],
        [new nn.SiLU(), t.silu(x)],
        [new nn.Hardswish(), t.hardswish(x)],
        [new nn.Hardsigmoid(), t.hardsigmoid(x)],
        [new nn.GELU(), t.gelu(x)],
        [new nn.GELU({ approximate: "tanh" }), t.gelu(x, { approximate: "tanh" })],
        [new nn.Softmax({ dim: 0 }), t.softmax(x, { dim: 0 })],
      ];
      const seen = await Promise.all(rows.map(async ([layer]) => values(layer.forward(x) as Tensor)));
      expect(seen).toEqual(await Promise.all(rows.map(([, want]) => values(want))));
      expect(new Set(seen.map(String)).size).toBe(rows.length);
      expect(() => new nn.GELU({ approximate: "erf" as "tanh" })).toThrow(/nn.GELU: approximate is "erf"/);
      expect(() => new nn.Softmax({} as { dim: number })).toThrow(/nn.Softmax: dim is missing/);
    });
  });
});

describe("losses", () => {
  it("are the functions with fixed options, and keep their weights as buffers", async () => {
    await device.scope(async () => {
      const [x, y] = [device.randn([2, 3, 4], { seed: 1 }), device.rand([2, 3, 4], { seed: 2 })];
      const labels = device.tensor([0, 1, 2, 0, 1, 1, 0, 2], [2, 4], { dtype: "int32" });
      const weight = device.tensor([1, 2, 0.5]);
      const posWeight = device.tensor([1, 2, 0.5], [3, 1]);
      const rows: [nn.Module, Tensor, Tensor, string[]][] = [
        [new nn.MSELoss({ reduction: "sum" }), y, t.mseLoss(x, y, { reduction: "sum" }), []],
        [new nn.L1Loss(), y, t.l1Loss(x, y), []],
        [new nn.BCEWithLogitsLoss(), y, t.binaryCrossEntropyWithLogits(x, y), []],
        [
          new nn.BCEWithLogitsLoss({ posWeight }),
          y,
          t.binaryCrossEntropyWithLogits(x, y, { posWeight }),
          ["pos_weight"],
        ],
        [
          new nn.CrossEntropyLoss({ weight, ignoreIndex: 0 }),
          labels,
          t.crossEntropy(x, labels, { weight, ignoreIndex: 0 }),
          ["weight"],
        ],
      ];
      const logProbabilities = t.logSoftmax(x, { dim: 1 });
      expect(await values(new nn.NLLLoss({ weight }).forward(logProbabilities, labels))).toEqual(
        await values(t.nllLoss(logProbabilities, labels, { weight })),
      );
      for (const [loss, target, want, buffers] of rows) {
        expect(await values(loss.forward(x, target) as Tensor)).toEqual(await values(want));
        expect(Object.keys(loss.stateDict())).toEqual(buffers);
        expect(loss.parameters()).toEqual([]);
      }
      expect(() => new nn.CrossEntropyLoss({ labelSmoothing: 0.1 } as object)).toThrow(
        /nn.CrossEntropyLoss: there is no option/,
      );
    });
  });
});
