import * as t from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { globals } from "webgpu";
import { LIMIT, limitsExercise, uploadExercise, type Watched } from "../../support/limits-exercise.js";

const WORDS = LIMIT / 4;
const webgpu = globals as unknown as Watched;

let device: t.Device;
beforeAll(async () => {
  const bufferLimit = { bufferLimit: LIMIT } as t.DeviceOptions;
  device = await t.createDevice({ quiet: true, ...bufferLimit, poolBytes: 0 });
});
afterAll(() => device?.destroy());

describe("around the largest buffer and binding", () => {
  it("zeros, full, uploads, reads, ops, slices and copies hold every element", async () => {
    const { wrong, largest } = await limitsExercise(webgpu);
    expect(wrong).toEqual([]);
    expect(largest.buffer).toBeLessThanOrEqual(LIMIT);
    expect(largest.binding).toBeLessThanOrEqual(LIMIT);
  });

  it("an upload is written in parts of at most 32 MiB", async () => {
    const { wrong, largest } = await uploadExercise(webgpu);
    expect(wrong).toEqual([]);
    expect(largest.write).toBe(32 * 2 ** 20);
  });

  it.each(["int32", "float32"] as const)("%s from numbers of 64 bits and from plain arrays", async (dtype) => {
    for (const n of [WORDS - 65, WORDS - 64, WORDS - 63, WORDS, WORDS + 1]) {
      await device.scope(async () => {
        const values = Float64Array.from({ length: n }, (_, i) => i - 1000);
        const [wide, plain] = [device.tensor(values, [n], { dtype }), device.tensor([...values], [n], { dtype })];
        plain.assign(Array.from(values, (v) => v + 1));
        expect(Array.from(await wide.data())).toEqual([...values]);
        expect((await plain.data()).every((v, i) => v === values[i]! + 1)).toBe(true);
      });
    }
  });

  it("rows that no binding holds are refused by name", () => {
    const x = device.zeros([2, WORDS + 64]);
    expect(() => t.softmax(x, { dim: 1 })).toThrow(expect.objectContaining({ code: "limit-exceeded" }));
    x.dispose();
  });
});

it.each([0, 100, 1023, Number.NaN, "big"])("refuses limits of %s bytes", async (bytes) => {
  for (const name of ["bindingLimit", "bufferLimit"]) {
    const options = { quiet: true, [name]: bytes } as t.DeviceOptions;
    await expect(t.createDevice(options)).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining(name),
    });
  }
});

it("a tensor is assigned integers of 64 bits by their value", async () => {
  using x = device.zeros([2], { dtype: "int32" });
  x.assign(BigInt64Array.from([-1n, 2n]) as unknown as number[]);
  expect([...(await x.data())]).toEqual([-1, 2]);
});

// It takes half a minute and 4 GiB on a software adapter.
it.runIf(process.env.FCN_LARGE_TESTS)(
  "the number of elements at which Chromium's limits meet is made, filled and read",
  async () => {
    using own = await t.createDevice({ quiet: true });
    const n = 2 ** 28 - 63;
    if (own.limits.maxBufferSize! < 2 ** 30 || (process.availableMemory?.() ?? 0) < 6 * 2 ** 30) return;
    const bytes = { bufferLimit: 2 ** 30, bindingLimit: 2 ** 30, poolBytes: 0 } as t.DeviceOptions;
    using device = await t.createDevice({ quiet: true, ...bytes });
    using x = device.zeros([n]);
    using tail = t.slice(x, [[n - 3, n]]);
    expect([...(await tail.data())]).toEqual([0, 0, 0]);
    await device.sync();
  },
);
