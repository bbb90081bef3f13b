import * as reference from "@fcn/kernels/reference";
import * as t from "@fcn/tensor";
import { tensorStoredIn } from "@fcn/tensor/internal";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gradCheck } from "../../support/gradcheck.js";
import { at, build, type Nd, random } from "../../support/nd.js";
import { orderOf } from "../../support/orders.js";
import { assertProperty } from "../../support/property.js";

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

const SHAPE = [11, 5, 9];
const int32 = { dtype: "int32" } as const;
const cases = fc.record({ order: orderOf(3), other: orderOf(3), seed: fc.integer({ min: 0, max: 1e6 }) });
const places = (shape: readonly number[], seed: number, size: number): Nd => {
  const { data } = random(shape, seed, 0, size);
  return { shape, data: data.map(Math.floor) };
};
const list = async (x: t.Tensor): Promise<number[]> => Array.from(await x.data());

describe.each(Object.keys(DEVICES))("on a device that computes %s", (name) => {
  const device = (): t.Device => devices[name]!;
  // Along dim 0 nothing is cut, so only a device with large bindings holds the operands.
  const DIMS = name === "whole" ? [0, 1, 2] : [1, 2];

  it.each(DIMS)("gather along dim %i, with its gradient, in any storage order", (dim) =>
    assertProperty(cases, 4, async ({ order, other, seed }) => {
      const index = places(
        SHAPE.map((size, d) => (d === dim ? 7 : size)),
        seed + 9,
        SHAPE[dim]!,
      );
      using stored = tensorStoredIn(other, device(), index.data, index.shape);
      using indices = stored.to("int32");
      await gradCheck(device(), {
        inputs: [random(SHAPE, seed)],
        orders: [order],
        seed,
        run: (x) => t.gather(x, indices, { dim }),
        reference: (x) => reference.gather(x, index, dim),
      });
    }),
  );

  it.each(DIMS)("indexSelect along dim %i, with its gradient, in any storage order", (dim) =>
    assertProperty(cases, 4, async ({ order, seed }) => {
      const index = places([14], seed, SHAPE[dim]!);
      using indices = device().tensor(Int32Array.from(index.data), [14], int32);
      await gradCheck(device(), {
        inputs: [random(SHAPE, seed)],
        orders: [order],
        seed,
        run: (x) => t.indexSelect(x, indices, { dim: dim - 3 }),
        reference: (x) =>
          build(
            SHAPE.map((size, d) => (d === dim ? 14 : size)),
            (i) =>
              at(
                x,
                i.map((v, d) => (d === dim ? index.data[v]! : v)),
              ),
          ),
      });
    }),
  );

  it.each(DIMS)("sort and topk along dim %i, with their gradients, in any storage order", (dim) =>
    assertProperty(cases, 4, async ({ order, seed }) => {
      const sorted = (x: Nd, descending: boolean) => reference.gather(x, reference.argsort(x, dim, descending), dim);
      const check = { inputs: [random(SHAPE, seed)], orders: [order], seed };
      for (const descending of [false, true]) {
        const values = (x: t.Tensor) => t.sort(x, { dim, descending }).values;
        await gradCheck(device(), { ...check, run: values, reference: (x) => sorted(x, descending) });
        await gradCheck(device(), {
          ...check,
          run: (x) => t.topk(x, 3, { dim, largest: descending }).values,
          reference: (x) => {
            const whole = sorted(x, descending);
            return build(
              SHAPE.map((size, d) => (d === dim ? 3 : size)),
              (i) => at(whole, i),
            );
          },
        });
      }
    }),
  );

  it("argsort of integers keeps the order of equal ones", () =>
    assertProperty(cases, 4, ({ order, seed }) =>
      device().scope(async () => {
        const x = places(SHAPE, seed, 3);
        const stored = tensorStoredIn(order, device(), x.data, SHAPE).to("int32");
        for (const descending of [false, true]) {
          const expected = Array.from(reference.argsort(x, 1, descending).data);
          expect(await list(t.argsort(stored, { dim: 1, descending }))).toEqual(expected);
          const values = t.sort(stored, { dim: 1, descending }).values;
          expect(values.dtype).toBe("int32");
          expect(await list(values)).toEqual(
            Array.from(reference.gather(x, { shape: SHAPE, data: Float64Array.from(expected) }, 1).data),
          );
        }
      }),
    ));
});

describe("places", () => {
  it("out of range give NaN, or 0 of integers, and no gradient", async () => {
    const device = devices.whole!;
    await device.scope(async () => {
      const indices = device.tensor([0, -1, 2, 1], [4], int32);
      const x = device.tensor([3, 4], [2], { requiresGrad: true });
      const y = t.indexSelect(x, indices, { dim: 0 });
      expect(await list(y)).toEqual([3, Number.NaN, Number.NaN, 4]);
      y.backward(device.tensor([1, 10, 100, 1000]));
      expect(await list(x.grad!)).toEqual([1, 1000]);
      expect(await list(t.gather(device.tensor([2 ** 24 + 1, 5], [2], int32), indices, { dim: 0 }))).toEqual([
        2 ** 24 + 1,
        0,
        0,
        5,
      ]);
    });
  });

  it("of float16 are found and taken as of float32", async () => {
    const device = devices.whole!;
    if (!device.hasFloat16) return;
    await device.scope(async () => {
      const x = device.tensor([1, 3, 2, 3], [4], { dtype: "float16", requiresGrad: true });
      const { values, indices } = t.topk(x, 3);
      expect([values.dtype, await list(values), await list(indices)]).toEqual(["float16", [3, 3, 2], [1, 3, 2]]);
      values.backward(device.tensor([1, 2, 4]).to("float16"));
      expect([x.grad!.dtype, await list(x.grad!)]).toEqual(["float16", [0, 1, 4, 2]]);
    });
  });
});

it("what does not fit is refused", async () => {
  const { whole, parts } = devices as { whole: t.Device; parts: t.Device };
  await whole.scope(async () => {
    const [x, indices] = [whole.ones([2, 3]), whole.tensor([0, 1], [2, 1], int32)];
    expect(() => t.gather(x, indices, { dim: 0 })).toThrow("expected equal sizes apart from dim 0");
    expect(() => t.gather(x, x, { dim: 0 })).toThrow(expect.objectContaining({ code: "invalid-dtype" }));
    expect(() => t.indexSelect(x, indices, { dim: 0 })).toThrow(expect.objectContaining({ code: "invalid-shape" }));
    expect(() => t.indexSelect(whole.full([], 1), whole.tensor([0, 0], [2], int32), { dim: 0 })).toThrow(
      expect.objectContaining({ code: "invalid-shape" }),
    );
    expect(() => t.topk(x, 4)).toThrow("from 1 to 3");
  });
  await parts.scope(async () => {
    const indices = parts.tensor([0], [1], int32);
    expect(() => t.indexSelect(parts.ones([50, 60]), indices, { dim: 0 })).toThrow(
      expect.objectContaining({ code: "limit-exceeded" }),
    );
  });
});
