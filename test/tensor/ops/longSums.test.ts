import * as t from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const ULP = 2 ** -23;
/** Two units in the last place for each halving of the terms, of the sum of absolute values. */
const bound = (terms: number): number => 2 * ULP * Math.log2(terms);

/** Equal values err the same way at each addition of a serial sum; the others are spread over [0.5, 1.5). */
const KINDS = {
  equal: (n: number) => new Float32Array(n).fill(Math.log(21)),
  random: (n: number) => {
    let state = 12345;
    return Float32Array.from({ length: n }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return 0.5 + state / 2 ** 32;
    });
  },
};
const total = (values: Float32Array): number => values.reduce((sum, v) => sum + v, 0);

async function expectClose(got: t.Tensor, want: number | readonly number[], terms: number): Promise<void> {
  const values = await got.data();
  const wanted = typeof want === "number" ? new Array<number>(values.length).fill(want) : want;
  for (const [i, value] of values.entries()) {
    expect(Math.abs(value - wanted[i]!) / Math.abs(wanted[i]!)).toBeLessThan(bound(terms));
  }
}

describe.each(Object.entries(KINDS))("long sums of %s values", (_, make) => {
  const N = 2_000_003;

  it("of all elements and their mean", async () => {
    await device.scope(async () => {
      const values = make(N);
      const x = device.tensor(values);
      await expectClose(t.sum(x), total(values), N);
      await expectClose(t.mean(x), total(values) / N, N);
    });
  });

  it("over rows, where each thread adds one column", async () => {
    await device.scope(async () => {
      const [rows, columns] = [2000, 2048 * 2];
      const line = make(rows);
      const x = t.add(device.tensor(line, [rows, 1]), device.zeros([1, columns]));
      await expectClose(t.sum(x, { dim: 0 }), total(line), rows);
    });
  });

  it("cross-entropy, weighted and not, with the mean over the weights", async () => {
    await device.scope(async () => {
      const side = 1200;
      const values = make(side * side);
      const x = device.tensor(values, [1, 1, side, side]);
      const logits = t.concat([t.mul(x, 0), x], { dim: 1 });
      const target = device.zeros([1, side, side], { dtype: "int32" });
      const each = Float64Array.from(values, (v) => v + Math.log1p(Math.exp(-v)));
      const want = each.reduce((a, b) => a + b, 0) / each.length;
      const weight = device.tensor([0.3, 0.7]);
      // Each term errs by the exponentials of the adapter too.
      const got = t.crossEntropy(logits, target, { reduction: "none" });
      const own = total((await got.data()) as Float32Array) / each.length;
      expect(Math.abs(own - want) / want).toBeLessThan(1e-5);
      await expectClose(t.crossEntropy(logits, target), own, values.length);
      await expectClose(t.crossEntropy(logits, target, { weight }), own, values.length);
    });
  });

  it("softmax over a long line, and its gradient", async () => {
    await device.scope(async () => {
      const n = 100_003;
      const values = make(n);
      const x = device.tensor(values, [1, n], { requiresGrad: true });
      const y = t.softmax(x, { dim: 1 });
      expect(Math.abs(total((await y.data()) as Float32Array) - 1)).toBeLessThan(bound(n));
      const dy = make(n).reverse();
      t.sum(t.mul(y, device.tensor(dy, [1, n]))).backward();
      const p = Float64Array.from((await y.data()) as Float32Array);
      const mean = p.reduce((sum, v, i) => sum + v * dy[i]!, 0);
      const gradient = await x.grad!.data();
      const error = Math.max(
        ...Array.from({ length: 1000 }, (__, i) => Math.abs(gradient[i]! - p[i]! * (dy[i]! - mean)) / p[i]!),
      );
      expect(error).toBeLessThan(2 * bound(n));
    });
  });

  it("statistics of batch and group normalisation", async () => {
    await device.scope(async () => {
      const side = 700;
      const values = make(2 * side * side);
      const [half, n] = [side * side, 2 * side * side];
      const x = device.tensor(values, [1, 2, side, side]);
      const [runningMean, runningVar] = [device.zeros([2]), device.zeros([2])];
      t.batchNorm(x, { runningMean, runningVar, training: true, momentum: 1 });
      const channels = [values.subarray(0, half), values.subarray(half)];
      const means = channels.map((v) => total(v) / half);
      await expectClose(runningMean, means, half);
      const variances = channels.map((v, c) => v.reduce((sum, u) => sum + (u - means[c]!) ** 2, 0) / (half - 1));
      for (const [c, v] of (await runningVar.data()).entries()) {
        expect(Math.abs(v - variances[c]!)).toBeLessThan(bound(n) * (variances[c]! + 1e-3));
      }
      const y = t.groupNorm(x, { groups: 1 });
      expect(Math.abs(total((await y.data()) as Float32Array)) / n).toBeLessThan(1e-5);
    });
  });

  it.each([true, false])(
    "gradients of a convolution, of a product and of normalisation, subgroups %s",
    async (subgroups) => {
      using own = await t.createDevice({ quiet: true, subgroups });
      await own.scope(async () => {
        const side = 512;
        const n = side * side;
        const values = make(n);
        const x = own.tensor(values, [1, 1, side, side]);
        const weight = own.zeros([4, 1, 1, 1], { requiresGrad: true });
        const bias = own.zeros([4], { requiresGrad: true });
        const dy = t.add(x, own.zeros([1, 4, 1, 1]));
        t.conv2d(x, weight, bias).backward(dy);
        await expectClose(bias.grad!, total(values), n);
        await expectClose(
          weight.grad!,
          values.reduce((sum, v) => sum + v * v, 0),
          n,
        );
        const a = own.tensor(values, [n, 1], { requiresGrad: true });
        const b = own.zeros([1, 4], { requiresGrad: true });
        t.matmul(a, b).backward(t.add(own.tensor(values, [n, 1]), own.zeros([1, 4])));
        await expectClose(
          b.grad!,
          values.reduce((sum, v) => sum + v * v, 0),
          n,
        );
        const shift = own.zeros([4], { requiresGrad: true });
        const normed = t.batchNorm(dy, { bias: shift, weight: own.ones([4]), training: true });
        normed.backward(dy);
        await expectClose(shift.grad!, total(values), n);
      });
    },
  );
});

it("softmax over a long line of equal values and one that is larger", async () => {
  await device.scope(async () => {
    const n = 100_003;
    const x = new Float32Array(n).fill(-0.3);
    x[0] = 0;
    const y = await t.softmax(device.tensor(x, [1, n]), { dim: 1 }).data();
    // A serial sum is off by more than 1e-4.
    expect(Math.abs(y[0]! * (1 + (n - 1) * Math.exp(x[1]!)) - 1)).toBeLessThan(1e-5);
  });
});
