import { type PointwiseRow, pointwise } from "@fcn/kernels";
import * as t from "@fcn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gradCheck } from "../../support/gradcheck.js";
import { at, build, random } from "../../support/nd.js";
import { orderOf } from "../../support/orders.js";
import { type RowName, uses } from "../../support/pointwise.js";
import { assertProperty } from "../../support/property.js";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true, debug: { poison: true } });
});
afterAll(() => device?.destroy());

/** Two shapes that broadcast to one another, the storage orders of both, and a seed. */
const operands = fc
  .array(fc.record({ size: fc.integer({ min: 1, max: 5 }), one: fc.constantFrom("a", "b", "") }), {
    minLength: 1,
    maxLength: 4,
  })
  .chain((dims) => {
    const a = dims.map(({ size, one }) => (one === "a" ? 1 : size));
    const b = dims.map(({ size, one }) => (one === "b" ? 1 : size));
    return fc.record({
      a: fc.constant(a),
      drop: fc.integer({ min: 0, max: dims.length - 1 }),
      b: fc.constant(b),
      orderA: orderOf(dims.length),
      seed: fc.integer({ min: 0, max: 1e6 }),
      plain: fc.boolean(),
    });
  });

const RUNS = 6;

describe.each(Object.keys(uses) as RowName[])("the row %s", (name) => {
  const row: PointwiseRow = pointwise[name];
  it.each(uses[name])("agrees with its reference, and so does its gradient (use %#)", async (use) => {
    const [low, high] = use.range ?? [-2, 2];
    const value = (a: number, b: number) => row.reference(a, b, use.s ?? 0, use.t ?? 0);
    await assertProperty(operands, RUNS, async ({ a: shapeA, b, drop, orderA, seed, plain }) => {
      const a = random(shapeA, seed, low, high);
      const orders = plain ? [] : [orderA];
      if (row.arity === 1) {
        const reference = (x: typeof a) => build(x.shape, (i) => value(at(x, i), 0));
        await gradCheck(device, { inputs: [a], orders, seed, run: (x) => use.call(x, x), reference });
        return;
      }
      const other = random(b.slice(drop), seed + 77, low, high);
      const shape = shapeA.map((n, i) => Math.max(n, i < drop ? 1 : b[i]!));
      await gradCheck(device, {
        inputs: [a, other],
        orders,
        seed,
        run: (x, y) => use.call(x, y),
        reference: (x, y) => build(shape, (i) => value(at(x, i), at(y, i))),
      });
    });
  });
});

describe("grids past 65,535 workgroups", () => {
  const ramp = (count: number) => Float32Array.from({ length: count }, (_, i) => i % 8191);

  async function wrongElements(y: t.Tensor, expected: (i: number) => number): Promise<number> {
    const data = Float32Array.from(await y.data());
    return data.reduce((wrong: number, value: number, i: number) => wrong + Number(value !== expected(i)), 0);
  }

  it("compute every element of one flat add", async () => {
    await device.scope(async () => {
      const count = 65_537 * 256 + 3;
      const x = device.tensor(ramp(count));
      expect(await wrongElements(t.add(x, x), (i) => 2 * (i % 8191))).toBe(0);
    });
    device.trim();
  });

  it("compute every element of one broadcast add", async () => {
    await device.scope(async () => {
      const [rows, columns] = [65_539, 65];
      const x = device.tensor(ramp(rows * columns), [rows, columns]);
      const y = t.add(x, device.tensor(ramp(columns), [columns]));
      expect(await wrongElements(y, (i) => (i % 8191) + (i % columns))).toBe(0);
    });
    device.trim();
  });
});

describe("powers are C's, as PyTorch's", () => {
  const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;
  const BASES = [0, -0, 1, -1, 2, -2, 0.5, -0.5, INF, -INF, NAN];
  const EXPONENTS = [0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, -1.5, INF, -INF, NAN];
  const pairs = BASES.flatMap((a) => EXPONENTS.map((b) => [a, b] as const));
  /** As they differ: the sign of zero, and no last bits. */
  const named = (v: number) => (Object.is(v, -0) ? "-0" : Number.isFinite(v) ? v.toPrecision(5) : String(v));

  it("of zero, one, infinity and NaN, whole and broken, flat and broadcast and by a number", async () => {
    const expected = pairs.map(([a, b]) => named(pointwise.pow.reference(a, b)));
    await device.scope(async () => {
      const read = async (x: t.Tensor) => Array.from(await x.data()).map(named);
      const column = device.tensor(BASES, [BASES.length, 1]);
      expect(await read(t.pow(column, device.tensor(EXPONENTS)))).toEqual(expected);
      const [a, b] = [0, 1].map((i) => device.tensor(pairs.map((pair) => pair[i]!)));
      expect(await read(t.pow(a!, b!))).toEqual(expected);
      for (const [i, exponent] of EXPONENTS.entries()) {
        if (Number.isNaN(exponent)) continue;
        const own = expected.filter((_, k) => k % EXPONENTS.length === i);
        expect(await read(t.pow(column, exponent))).toEqual(own);
      }
    });
  });

  it("and so are their gradients", async () => {
    await device.scope(async () => {
      const leaf = (values: number[]) => device.tensor(values, [values.length], { requiresGrad: true });
      const read = async (x: t.Tensor) => Array.from(await x.grad!.data()).map((v) => v + 0);
      const [a, b] = [leaf([0, 0, 0, -2, 0, 1]), leaf([0.5, -1, 0, 2, 2, NAN])];
      t.pow(a, b).backward(device.ones([6]));
      // torch.pow(a, b).sum().backward()
      expect(await read(a)).toEqual([INF, -INF, 0, -4, 0, NAN]);
      expect(await read(b)).toEqual([0, -INF, 0, NAN, 0, 0]);
      for (const [exponent, gradient] of [
        [0.5, INF],
        [-1, -INF],
        [0, 0],
        [1, 1],
        [2, 0],
      ] as const) {
        const x = leaf([0]);
        t.pow(x, exponent).backward();
        expect(await read(x)).toEqual([gradient]);
      }
    });
  });
});

it("splits the gradient of a maximum between equal values", async () => {
  await device.scope(async () => {
    const leaf = (values: number[]) => device.tensor(values, [values.length], { requiresGrad: true });
    const [a, b] = [leaf([1, 2, 3, -4]), leaf([1, 5, -3, -4])];
    t.maximum(a, b).backward(device.tensor([1, 2, 4, 8]));
    expect(Array.from(await a.grad!.data())).toEqual([0.5, 0, 4, 4]);
    expect(Array.from(await b.grad!.data())).toEqual([0.5, 2, 0, 4]);
  });
});

it("maximum, minimum and pow take a number on either side, and keep the shape of a scalar", async () => {
  await device.scope(async () => {
    const x = device.tensor([-1, 0, 2], [3], { requiresGrad: true });
    const live = device.memory().liveTensors;
    const results = [t.maximum(x, 0), t.maximum(0, x), t.minimum(x, 1), t.minimum(1, x), t.pow(2, x)];
    expect(device.memory().liveTensors).toBe(live + results.length);
    const values = await Promise.all(results.map(async (y) => Array.from(await y.data())));
    expect(values).toEqual([
      [0, 0, 2],
      [0, 0, 2],
      [-1, 0, 1],
      [-1, 0, 1],
      [0.5, 1, 4],
    ]);
    t.sum(results[0]!).backward();
    expect(Array.from(await x.grad!.data())).toEqual([0, 0.5, 1]);
    expect([t.maximum(t.sum(x), 0).shape, t.pow(2, t.sum(x)).shape]).toEqual([[], []]);
  });
});
