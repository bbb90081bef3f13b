import { pointwise } from "@fcn/kernels";
import * as t from "@fcn/tensor";
import { tensorStoredIn } from "@fcn/tensor/internal";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { orderOf } from "../support/orders.js";
import { assertProperty } from "../support/property.js";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true, debug: { poison: true } });
});
afterAll(() => device?.destroy());

const int32 = { dtype: "int32" } as const;
const values = async (x: t.Tensor) => Array.from(await x.data());
const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;

describe("a copy between types converts the values", () => {
  it("in assign, both ways and in any storage order", () =>
    assertProperty(
      fc.record({
        shape: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3 })),
        order: orderOf(3),
        numbers: fc.array(fc.integer({ min: -(2 ** 20), max: 2 ** 20 }), { minLength: 60, maxLength: 60 }),
      }),
      15,
      async ({ shape, order, numbers }) => {
        await device.scope(async () => {
          const data = numbers.slice(0, shape[0] * shape[1] * shape[2]);
          const whole = device.tensor(data, shape, int32);
          const floats = tensorStoredIn(order, device, new Float32Array(data.length), shape);
          floats.assign(whole);
          expect(await values(floats)).toEqual(data);
          floats.assign(t.add(floats, 0.25));
          const back = device.zeros(shape, int32);
          back.assign(floats);
          expect(await values(back)).toEqual(data.map((v) => Math.trunc(v + 0.25) || 0));
        });
      },
    ));

  it("in loadStateDict of a module and of an optimiser", async () => {
    await device.scope(async () => {
      const conv = new t.nn.Conv2d(device, 1, 1, { kernelSize: 1 });
      conv.loadStateDict({ weight: device.tensor([3], [1, 1, 1, 1], int32), bias: device.tensor([-2], [1], int32) });
      expect([await values(conv.weight), await values(conv.bias!)]).toEqual([[3], [-2]]);
      const w = device.tensor([1], [1], { requiresGrad: true });
      using optimizer = new t.optim.SGD([w], { lr: 1, momentum: 1 });
      const step: t.io.HostArray = { dtype: "int32", shape: [], data: Int32Array.of(1) };
      optimizer.loadStateDict({ "0.step": step, "0.momentum": device.tensor([4], [1], int32) });
      w.grad = device.tensor([0]);
      optimizer.step();
      expect(await values(w)).toEqual([-3]);
    });
  });

  it("in the gradient that backward is given", async () => {
    await device.scope(async () => {
      const a = device.tensor([1, 2], [2], { requiresGrad: true });
      t.mul(a, 3).backward(device.tensor([1, 2], [2], int32));
      expect(await values(a.grad!)).toEqual([3, 6]);
    });
  });
});

it("to() cuts fractions off, and stays in the range", async () => {
  await device.scope(async () => {
    const floats = [2.7, -2.7, 3e9, -3e9, INF, -INF, NAN, 0];
    const whole = device.tensor(floats).to("int32");
    expect(whole.dtype).toBe("int32");
    expect(await values(whole)).toEqual([2, -2, 2 ** 31 - 1, -(2 ** 31), 2 ** 31 - 1, -(2 ** 31), 0, 0]);
    expect(await values(whole)).toEqual(floats.map((v) => pointwise.toInt.reference(v)));
    expect(await values(device.tensor([-5, 7], [2], int32).to("float32"))).toEqual([-5, 7]);
    const x = device.tensor([1.5], [1], { requiresGrad: true });
    const same = x.to("float32");
    x.assign([2.5]);
    expect(await values(same)).toEqual([2.5]);
    t.mul(same, 2).backward();
    expect(await values(x.grad!)).toEqual([2]);
    expect(x.to("int32").requiresGrad).toBe(false);
    expect(() => x.to("float64" as t.DType)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });
});

describe("eq", () => {
  it("compares floats and integers with broadcasting; NaN equals nothing", async () => {
    await device.scope(async () => {
      const a = device.tensor([NAN, 0, INF, 2], [4, 1]);
      const floats = t.eq(a, device.tensor([NAN, -0, INF, 3], [4, 1]));
      expect([floats.dtype, await values(floats)]).toEqual(["int32", [0, 1, 1, 0]]);
      expect(await values(t.eq(a, 2))).toEqual([0, 0, 0, 1]);
      // 2^24 and 2^24 + 1 are one float32.
      const [x, y] = [device.tensor([2 ** 24, 5], [2, 1], int32), device.tensor([2 ** 24 + 1, 5], [2], int32)];
      expect(await values(t.eq(x, y))).toEqual([0, 0, 0, 1]);
      expect(await values(t.eq(x, 5))).toEqual([0, 1]);
    });
  });

  it("gives an accuracy, and refuses a float beside an integer", async () => {
    await device.scope(async () => {
      const logits = device.tensor([1, 2, 3, 0, 5, 4], [3, 2]);
      const labels = device.tensor([1, 0, 1], [3], int32);
      const hits = t.eq(t.argmax(logits, { dim: 1 }), labels);
      expect(await t.mean(hits.to("float32")).item()).toBeCloseTo(2 / 3, 6);
      expect(() => t.eq(logits, labels)).toThrow(
        expect.objectContaining({ code: "invalid-dtype", fix: expect.stringContaining(".to(") }),
      );
    });
  });
});
