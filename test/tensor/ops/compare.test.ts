import { type PointwiseRow, pointwise } from "@fcn/kernels";
import * as t from "@fcn/tensor";
import { tensorStoredIn } from "@fcn/tensor/internal";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gradCheck } from "../../support/gradcheck.js";
import { at, build, type Nd, random } from "../../support/nd.js";
import { orderOf } from "../../support/orders.js";
import { assertProperty } from "../../support/property.js";

/** Devices that compute whole operands, and operands larger than a binding in parts. */
const DEVICES = {
  whole: { debug: { poison: true } },
  parts: { bindingLimit: 4096, debug: { poison: true } },
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

const int32 = { dtype: "int32" } as const;
const list = async (x: t.Tensor): Promise<number[]> => Array.from(await x.data());
/** An integer tensor that is stored in `order`. */
const stored = (device: t.Device, { data, shape }: Nd, order: readonly number[]): t.Tensor =>
  tensorStoredIn(order, device, data, shape).to("int32");
const OPS = {
  ...{ eq: t.eq, ne: t.ne, gt: t.gt, ge: t.ge, lt: t.lt, le: t.le },
  ...{ logicalAnd: t.logicalAnd, logicalOr: t.logicalOr },
  ...{ add: t.add, sub: t.sub, mul: t.mul, maximum: t.maximum, minimum: t.minimum, div: t.div },
};
const COMPARISONS = ["eq", "ne", "gt", "ge", "lt", "le"] as const;
const LOGICAL = ["logicalAnd", "logicalOr"] as const;
const ARITHMETIC = ["add", "sub", "mul", "maximum", "minimum"] as const;

/** Whole numbers of which many are equal. */
const whole = (shape: readonly number[], seed: number): Nd => {
  const { data } = random(shape, seed, -2, 3);
  return { shape, data: data.map(Math.floor) };
};

describe.each(Object.keys(DEVICES))("on a device that computes %s", (name) => {
  const device = (): t.Device => devices[name]!;
  const [shapeA, shapeB] = [
    [7, 1, 31],
    [9, 31],
  ];
  const shape = [7, 9, 31];
  const [a, b] = [whole(shapeA, 1), whole(shapeB, 2)];

  it.each([...COMPARISONS, ...LOGICAL, ...ARITHMETIC])("%s of integers in any storage order", async (op) => {
    const { reference }: PointwiseRow = pointwise[op];
    const expected = Array.from(build(shape, (i) => reference(at(a, i), at(b, i), 0, 0) + 0).data);
    await assertProperty(fc.tuple(orderOf(3), orderOf(2)), 4, ([order, other]) =>
      device().scope(async () => {
        const x = stored(device(), a, order);
        const y = stored(device(), b, other);
        const result = OPS[op](x, y);
        expect([result.dtype, result.shape]).toEqual(["int32", shape]);
        expect(await list(result)).toEqual(expected);
        const number = OPS[op](x, 2);
        const beside = Array.from(build(shapeA, (i) => reference(at(a, i), 2, 0, 0) + 0).data);
        expect(await list(number)).toEqual(beside);
      }),
    );
  });

  it("where chooses, and sends gradients to what was chosen, in any storage order", async () => {
    const condition = whole([7, 9, 1], 3);
    const choice = pointwise.where.reference;
    await assertProperty(fc.tuple(orderOf(3), orderOf(2), orderOf(3)), 4, async ([orderA, orderB, order]) => {
      using c = stored(device(), condition, order);
      await gradCheck(device(), {
        inputs: [random(shapeA, 4), random(shapeB, 5)],
        orders: [orderA, orderB],
        seed: 6,
        run: (x, y) => t.where(c, x, y),
        reference: (x, y) => build(shape, (i) => choice(at(x, i), at(y, i), at(condition, i))),
      });
    });
  });
});

describe("numbers", () => {
  it("beside integers are whole in arithmetic, and any in comparisons", async () => {
    const device = devices.whole!;
    await device.scope(async () => {
      const x = device.tensor([1, 2, 3], [3], int32);
      expect(await list(t.gt(x, 1.5))).toEqual([0, 1, 1]);
      expect(await list(t.lt(x, 2 ** 31))).toEqual([1, 1, 1]);
      expect(await list(t.sub(10, x))).toEqual([9, 8, 7]);
      const quotient = t.div(x, 2);
      expect([quotient.dtype, await list(quotient)]).toEqual(["float32", [0.5, 1, 1.5]]);
      expect(await list(t.div(6, x))).toEqual([6, 3, 2]);
      const refused = expect.objectContaining({ code: "invalid-argument", fix: expect.stringContaining('"float32"') });
      expect(() => t.add(x, 0.5)).toThrow(refused);
      expect(() => t.mul(2 ** 31, x)).toThrow(refused);
      expect(() => t.where(x, x, 0.5)).toThrow(refused);
    });
  });

  it("in where take the dtype of the other, or float32", async () => {
    const device = devices.whole!;
    await device.scope(async () => {
      const condition = device.tensor([1, 0], [2], int32);
      const results = [t.where(condition, 1, 2), t.where(condition, condition, 7)];
      expect(results.map(({ dtype }) => dtype)).toEqual(["float32", "int32"]);
      expect(await Promise.all(results.map(list))).toEqual([
        [1, 2],
        [1, 7],
      ]);
      const x = device.tensor([3, 4], [2], { requiresGrad: true });
      const live = device.memory().liveTensors;
      const y = t.where(condition, x, 0);
      expect(device.memory().liveTensors).toBe(live + 1);
      y.backward(device.tensor([5, 6]));
      expect(await list(x.grad!)).toEqual([5, 0]);
    });
  });
});

it("an integer beside a float, and a condition of floats, are refused", async () => {
  const device = devices.whole!;
  await device.scope(async () => {
    const [x, n] = [device.ones([2]), device.tensor([1, 2], [2], int32)];
    const refused = expect.objectContaining({ code: "invalid-dtype" });
    for (const op of [...COMPARISONS, ...LOGICAL, ...ARITHMETIC, "div"] as const) {
      expect(() => OPS[op](x, n), op).toThrow(refused);
      expect(() => OPS[op](n, x), op).toThrow(refused);
    }
    for (const run of [() => t.logicalNot(x), () => t.where(x, x, x), () => t.where(n, x, n), () => t.exp(n)]) {
      expect(run).toThrow(refused);
    }
  });
});

it.each(COMPARISONS)("%s takes float16, and has no gradient", async (op) => {
  const device = devices.whole!;
  if (!device.hasFloat16) return;
  await device.scope(async () => {
    const x = device.tensor([Number.NaN, 1, 2], [3], { dtype: "float16", requiresGrad: true });
    const result = OPS[op](x, device.tensor([0, 1, 1], [3], { dtype: "float16" }));
    const { reference } = pointwise[op];
    expect([result.dtype, result.requiresGrad]).toEqual(["int32", false]);
    expect(await list(result)).toEqual([reference(Number.NaN, 0), reference(1, 1), reference(2, 1)]);
  });
});
