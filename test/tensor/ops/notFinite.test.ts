import * as t from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;
const VALUES = [NAN, -1, 0, 7, INF, -INF];

/** Values of y and the gradient of its sum with regard to each input. */
async function run(f: (...inputs: t.Tensor[]) => t.Tensor, ...inputs: readonly number[][]): Promise<number[][]> {
  return device.scope(async () => {
    const leaves = inputs.map((values) => device.tensor(values, [values.length], { requiresGrad: true }));
    const y = f(...leaves);
    y.backward(device.ones(y.shape));
    const all = [y, ...leaves.map((leaf) => leaf.grad!)];
    return Promise.all(all.map(async (x) => Array.from(await x.data())));
  });
}

describe("NaN and infinity stay what they are, as in PyTorch, in", () => {
  it("relu, relu6 and clamp", async () => {
    expect(await run(t.relu, VALUES)).toEqual([
      [NAN, 0, 0, 7, INF, 0],
      [1, 0, 0, 1, 1, 0],
    ]);
    expect(await run(t.relu6, VALUES)).toEqual([
      [NAN, 0, 0, 6, 6, 0],
      [1, 0, 0, 0, 0, 0],
    ]);
    expect((await run((x) => t.clamp(x, { min: 0 }), VALUES))[0]).toEqual([NAN, 0, 0, 7, INF, 0]);
    expect(await run((x) => t.clamp(x, { max: 1 }), VALUES)).toEqual([
      [NAN, -1, 0, 1, 1, -INF],
      [0, 1, 1, 0, 0, 1],
    ]);
  });

  it("maximum and minimum, of which either operand may be NaN", async () => {
    const [a, b] = [
      [NAN, 1, NAN, 2, 3, -INF],
      [1, NAN, NAN, 2, INF, 0],
    ];
    expect(await run(t.maximum, a, b)).toEqual([
      [NAN, NAN, NAN, 2, INF, 0],
      [1, 1, 1, 0.5, 0, 0],
      [1, 1, 1, 0.5, 1, 1],
    ]);
    expect(await run(t.minimum, a, b)).toEqual([
      [NAN, NAN, NAN, 2, 3, -INF],
      [1, 1, 1, 0.5, 1, 1],
      [1, 1, 1, 0.5, 0, 0],
    ]);
    expect((await run((x) => t.maximum(x, 0), a))[0]).toEqual([NAN, 1, NAN, 2, 3, 0]);
  });

  it("softmax, the loss and its gradient, pools and reductions", async () => {
    const bad = [NAN, 1, 2, 3, 4];
    expect((await run((x) => t.softmax(x, { dim: 0 }), bad))[0]).toEqual(new Array(5).fill(NAN));
    const labels = device.tensor([1], [1], { dtype: "int32" });
    for (const at of [0, 1, 4]) {
      const logits = [1, 2, 3, 4, 5].map((v, i) => (i === at ? NAN : v));
      const [loss, gradient] = await run((x) => t.crossEntropy(x.reshape([1, 5]), labels), logits);
      expect([loss, gradient]).toEqual([[NAN], new Array(5).fill(NAN)]);
    }
    expect((await run((x) => t.maxPool2d(x.reshape([1, 1, 1, 4]), { kernelSize: [1, 2] }), [NAN, 1, 2, 3]))[0]).toEqual(
      [NAN, 3],
    );
    expect(await run((x) => t.max(x), [1, NAN, 3, NAN])).toEqual([[NAN], [0, 0.5, 0, 0.5]]);
    labels.dispose();
  });

  it("the loss of classes that are ruled out, and of a pixel without any other", async () => {
    const lossOf = async (label: number, logits: number[]): Promise<number> => {
      const target = device.tensor([label], [1], { dtype: "int32" });
      const [loss] = await run((x) => t.crossEntropy(x.reshape([1, 3]), target), logits);
      target.dispose();
      return loss![0]!;
    };
    expect(await lossOf(1, [-INF, 1, -INF])).toBe(0);
    expect(await lossOf(0, [-INF, 1, -INF])).toBe(INF);
    expect(await lossOf(1, [-INF, -INF, -INF])).toBeNaN();
  });

  it("dropout, where it drops: 0 times infinity is NaN", async () => {
    const drop = (x: t.Tensor) => t.dropout(x, { p: 0.5, seed: 1 });
    const [kept] = await run(drop, new Array(64).fill(1));
    const expected = (value: number) => kept!.map((k) => value * k);
    for (const value of [NAN, INF, -INF])
      expect((await run(drop, new Array(64).fill(value)))[0]).toEqual(expected(value));
    expect(new Set(kept)).toEqual(new Set([0, 2]));
  });

  it("a net: NaN weights give NaN logits and a NaN loss", async () => {
    await device.scope(async () => {
      const net = new t.nn.Sequential(
        new t.nn.Conv2d(device, 1, 4, { kernelSize: 3, padding: 1, seed: 1 }),
        new t.nn.ReLU(),
        new t.nn.MaxPool2d({ kernelSize: 2 }),
        new t.nn.Conv2d(device, 4, 3, { kernelSize: 1, seed: 2 }),
      );
      const [weight] = net.parameters();
      weight!.assign(new Array(weight!.size).fill(NAN));
      const logits = net.forward(device.ones([1, 1, 4, 4]));
      const loss = t.crossEntropy(logits, device.zeros([1, 2, 2], { dtype: "int32" }));
      loss.backward();
      expect([await loss.item(), (await weight!.grad!.data())[0]]).toEqual([NAN, NAN]);
    });
  });
});

describe("max shares its gradient as PyTorch does", () => {
  it("evenly among equals over all dims and over a list of dims, to the first over one dim", async () => {
    expect(await run((x) => t.max(x), [3, 3, 1])).toEqual([[3], [0.5, 0.5, 0]]);
    expect(await run((x) => t.max(x, { dim: 0 }), [3, 3, 1])).toEqual([[3], [1, 0, 0]]);
    expect(await run((x) => t.max(x, { dim: [0] }), [3, 3, 1])).toEqual([[3], [0.5, 0.5, 0]]);
  });

  const few: readonly (readonly [string, number[], number[], number[]])[] = [
    ["minus infinity", Array(6).fill(-INF), Array(12).fill(-INF), [14, 10, 12, 19, 11, 12]],
    ["equal values", Array(6).fill(2), Array(12).fill(2), [14, 10, 12, 19, 11, 12]],
    ["some equal values", [1, 3, 3, 3, 2, 3], [1, ...Array(11).fill(3)], [1, 18, 12, 24, 0, 23]],
  ];
  it.each(few)("in pooling windows to the first, %s", async (_, values, maxima, slopes) => {
    // Golden values of PyTorch, where output i has gradient i + 1; and the same in each of four channels.
    for (const channels of [1, 4]) {
      const each = (numbers: readonly number[]): number[] => Array(channels).fill(numbers).flat();
      await device.scope(async () => {
        const x = device.tensor(each(values), [1, channels, 2, 3], { requiresGrad: true });
        const y = t.maxPool2d(x, { kernelSize: 2, stride: 1, padding: 1 });
        const counted = Array.from({ length: 12 }, (_, i) => i + 1);
        y.backward(device.tensor(each(counted), y.shape));
        expect(Array.from(await y.data())).toEqual(each(maxima));
        expect(Array.from(await x.grad!.data())).toEqual(each(slopes));
      });
    }
  });

  it("whatever the storage order and keepdim", async () => {
    const values = [1, 4, 2, 0, 4, 4, 3, 3];
    for (const keepdim of [false, true]) {
      const [y, gradient] = await run(
        (x) => t.max(x.reshape([2, 2, 2]).permute([2, 0, 1]), { dim: [2, 0], keepdim }),
        values,
      );
      expect([y, gradient]).toEqual([
        [4, 4],
        [0, 1, 0, 0, 0.5, 0.5, 0, 0],
      ]);
    }
  });
});
