import { reduce } from "@fcn/kernels/reference";
import * as t from "@fcn/tensor";
import { tensorStoredIn } from "@fcn/tensor/internal";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gradCheck } from "../../support/gradcheck.js";
import { type Nd, random } from "../../support/nd.js";
import { orderOf } from "../../support/orders.js";
import { assertProperty } from "../../support/property.js";

/** Devices that compute whole operands, and operands larger than a binding in parts. */
const DEVICES = {
  whole: { debug: { poison: true } },
  parts: { bindingLimit: 1024, debug: { poison: true } },
} as const;
const devices: Record<string, t.Device> = {};
beforeAll(async () => {
  for (const [name, options] of Object.entries(DEVICES)) {
    devices[name] = await t.createDevice({ quiet: true, ...options });
  }
});
afterAll(() => {
  for (const device of Object.values(devices)) device.destroy();
});

const SHAPE = [5, 9, 13];
const RUNS = 4;
const options = fc.record({
  dim: fc.constantFrom(undefined, 0, 1, -1, [0, 2], [1, 2], [0, 1, 2]),
  keepdim: fc.boolean(),
});
const cases = fc.record({ options, order: orderOf(3), seed: fc.integer({ min: 0, max: 1e6 }) });

const dimsOf = ({ dim }: t.ReduceOptions): number[] => {
  const given = dim === undefined ? [0, 1, 2] : [dim].flat();
  return given.map((d) => (d < 0 ? d + 3 : d));
};

/** By the squares of the differences of all pairs. */
const varianceReference = (values: readonly number[], correction: number): number => {
  let sum = 0;
  for (const a of values) for (const b of values) sum += (a - b) ** 2;
  return sum / (2 * values.length * (values.length - correction));
};

describe.each(Object.keys(DEVICES))("on a device that computes %s", (name) => {
  const device = (): t.Device => devices[name]!;
  const agrees = (run: (x: t.Tensor, o: t.ReduceOptions) => t.Tensor, fold: (values: readonly number[]) => number) =>
    assertProperty(cases, RUNS, ({ options: o, order, seed }) =>
      gradCheck(device(), {
        inputs: [random(SHAPE, seed)],
        orders: [order],
        seed,
        run: (x) => run(x, o),
        reference: (x) => reduce(x, dimsOf(o), o.keepdim ?? false, fold),
      }),
    );

  it("min, with its gradient", () => agrees(t.min, (values) => Math.min(...values)));

  it.each([0, 1, 2])("variance and std with correction %i, with their gradients", async (correction) => {
    await agrees(
      (x, o) => t.variance(x, { ...o, correction }),
      (v) => varianceReference(v, correction),
    );
    await agrees(
      (x, o) => t.std(x, { ...o, correction }),
      (v) => Math.sqrt(varianceReference(v, correction)),
    );
  });

  it("argmin, sums and extremes of integers, in any storage order", () =>
    assertProperty(cases, RUNS, ({ options: o, order, seed }) =>
      device().scope(async () => {
        const { data } = random(SHAPE, seed, -9, 9);
        const whole: Nd = { shape: SHAPE, data: data.map(Math.floor) };
        const x = tensorStoredIn(order, device(), whole.data, SHAPE).to("int32");
        const list = async (y: t.Tensor) => [y.dtype, y.shape, Array.from(await y.data())];
        const expected = (fold: (values: number[]) => number) => {
          const y = reduce(whole, dimsOf(o), o.keepdim ?? false, fold);
          return ["int32", y.shape, Array.from(y.data, (v) => v + 0)];
        };
        expect(await list(t.sum(x, o))).toEqual(expected((values) => values.reduce((a, b) => a + b)));
        expect(await list(t.max(x, o))).toEqual(expected((values) => Math.max(...values)));
        expect(await list(t.min(x, o))).toEqual(expected((values) => Math.min(...values)));
        const one = { keepdim: o.keepdim, dim: typeof o.dim === "number" ? o.dim : undefined };
        const places = reduce(whole, dimsOf(one), o.keepdim ?? false, (values) => values.indexOf(Math.min(...values)));
        expect(await list(t.argmin(x, one))).toEqual(["int32", places.shape, Array.from(places.data)]);
      }),
    ));
});

it("sums of integers are exact, modulo 2^32", async () => {
  const device = devices.whole!;
  await device.scope(async () => {
    const values = [2 ** 24 + 1, 1, 2 ** 31 - 1, 5];
    const sum = t.sum(device.tensor(values, [4], { dtype: "int32" }));
    expect(await sum.item()).toBe(values.reduce((a, b) => a + b) | 0);
    expect(() => t.mean(device.tensor(values, [4], { dtype: "int32" }))).toThrow(
      expect.objectContaining({ code: "invalid-dtype" }),
    );
  });
});

it("the variance of float16 is computed, and a correction below 0 is refused", async () => {
  const device = devices.whole!;
  await device.scope(async () => {
    expect(() => t.std(device.ones([3]), { correction: -1 })).toThrow("correction");
    if (!device.hasFloat16) return;
    const x = device.tensor([1, 2, 4, 5], [4], { dtype: "float16" });
    const results = [t.variance(x, { correction: 0 }), t.std(x, { correction: 0 }), t.min(x)];
    expect(results.map(({ dtype }) => dtype)).toEqual(Array(3).fill("float16"));
    expect(await Promise.all(results.map((y) => y.item()))).toEqual([2.5, 1.5810546875, 1]);
  });
});

it("variance and std leave nothing behind but their result", async () => {
  const device = devices.whole!;
  await device.scope(async () => {
    const x = device.tensor([1, 2, 4], [3], { requiresGrad: true });
    const live = device.memory().liveTensors;
    t.std(x).backward();
    expect(device.memory().liveTensors).toBe(live + 1);
  });
});
