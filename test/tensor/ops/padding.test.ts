import * as t from "@fcn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { random } from "../../support/nd.js";
import { assertProperty } from "../../support/property.js";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true, debug: { poison: true } });
});
afterAll(() => device?.destroy());

const int = (min: number, max: number) => fc.integer({ min, max });
const pairs = (most: number) => fc.tuple(fc.tuple(int(0, most), int(0, most)), fc.tuple(int(0, most), int(0, most)));
const inputs = fc.record({
  channels: int(1, 5),
  size: fc.tuple(int(3, 9), int(3, 9)),
  kernel: int(1, 3),
  stride: int(1, 3),
  seed: int(0, 1e6),
});

type Run = (x: t.Tensor, w: t.Tensor) => t.Tensor;

/** Values and gradients of x and w must be the same whichever way the zeros get there. */
async function expectSame(shape: readonly number[], weight: readonly number[], seed: number, runs: [Run, Run]) {
  await device.scope(async () => {
    const results = [];
    for (const run of runs) {
      const leaf = (dims: readonly number[], s: number) =>
        device.tensor(Float32Array.from(random(dims, s).data), dims, { requiresGrad: true });
      const [x, w] = [leaf(shape, seed), leaf(weight, seed + 1)];
      const y = run(x, w);
      y.backward(device.tensor(Float32Array.from(random(y.shape, seed + 2).data), y.shape));
      const grads = [x, w].map((leafTensor) => leafTensor.grad?.data());
      results.push({ shape: y.shape, values: [await y.data(), ...(await Promise.all(grads))] });
    }
    const [got, want] = results as [(typeof results)[0], (typeof results)[0]];
    expect(got.shape).toEqual(want.shape);
    want.values.forEach((list, k) => {
      list?.forEach((value, i) => {
        expect(Math.abs(value - (got.values[k]?.[i] ?? Number.NaN)), `part ${k}, element ${i}`).toBeLessThan(1e-4);
      });
    });
  });
}

describe("a padding that differs between opposite sides", () => {
  it("of conv2d is that of pad() before it", () =>
    assertProperty(
      fc.tuple(inputs, pairs(4), fc.boolean()),
      30,
      async ([{ channels, kernel, stride, ...c }, padding, deep]) => {
        const groups = deep ? channels : 1;
        const weight = [groups * 2, channels / groups, kernel, kernel];
        await expectSame([2, channels, ...c.size], weight, c.seed, [
          (x, w) => t.conv2d(x, w, null, { stride, padding, groups }),
          (x, w) => t.conv2d(t.pad(x, [[0, 0], [0, 0], ...padding]), w, null, { stride, groups }),
        ]);
      },
    ));

  it("of the pools is that of pad() before them, but never wins and is never counted", () =>
    assertProperty(fc.tuple(inputs, pairs(1)), 30, async ([{ channels, stride, ...c }, padding]) => {
      const around = [[0, 0], [0, 0], ...padding] as const;
      const window = { kernelSize: 2, stride };
      await expectSame([2, channels, ...c.size], [1], c.seed, [
        (x, w) => t.mul(t.maxPool2d(x, { ...window, padding }), w),
        (x, w) => t.mul(t.sub(t.maxPool2d(t.pad(t.add(x, 9), around), window), 9), w),
      ]);
      await expectSame([2, channels, ...c.size], [1], c.seed, [
        (x, w) => t.mul(t.avgPool2d(x, { ...window, padding, countIncludePad: false }), w),
        (x, w) => {
          const share = t.avgPool2d(t.pad(device.ones(x.shape), around), window);
          return t.mul(t.div(t.avgPool2d(t.pad(x, around), window), share), w);
        },
      ]);
    }));

  it("is refused where it means nothing", () => {
    const x = device.zeros([1, 2, 4, 4]);
    const w = device.zeros([2, 2, 3, 3]);
    const uneven = [
      [0, 1],
      [0, 1],
    ] as const;
    expect(() => t.avgPool2d(x, { kernelSize: 3, padding: uneven })).toThrow(
      "avgPool2d: padding [[0,1],[0,1]] differs between opposite sides",
    );
    expect(() =>
      t.maxPool2d(x, {
        kernelSize: 3,
        padding: [
          [0, 2],
          [0, 0],
        ],
      }),
    ).toThrow("maxPool2d: padding [[0, 2], [0, 0]] is more than half of kernelSize [3, 3]");
    expect(() => t.conv2d(x, w, null, { padding: [[0, 1]] })).toThrow(
      "conv2d: padding is [[0,1]], expected a whole number of at least 0, two of them as [h, w] or [[top, bottom], [left, right]]",
    );
    expect(() =>
      t.conv2d(x, w, null, {
        padding: [
          [0, -1],
          [0, 0],
        ],
      }),
    ).toThrow("conv2d: padding is [[0,-1],[0,0]]");
  });
});
