import * as t from "@fcn/tensor";
import { emptyTensor } from "@fcn/tensor/internal";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { globals } from "webgpu";

/** Bytes of one buffer and of one binding alike, as in Chromium, where the two limits of an adapter are the same number. */
const LIMIT = 8192;
const WORDS = LIMIT / 4;
const { prototype } = (globals as unknown as { GPUDevice: { prototype: GPUDevice } }).GPUDevice;

/** The largest buffer and the largest binding that are asked for. */
function watchSizes(): { buffer: number; binding: number } {
  const largest = { buffer: 0, binding: 0 };
  const { createBuffer, createBindGroup } = prototype;
  vi.spyOn(prototype, "createBuffer").mockImplementation(function (this: GPUDevice, descriptor) {
    // The parameters of ops have a buffer of their own, of a fixed size.
    if (descriptor.label !== "uniforms") largest.buffer = Math.max(largest.buffer, descriptor.size);
    return createBuffer.call(this, descriptor);
  });
  vi.spyOn(prototype, "createBindGroup").mockImplementation(function (this: GPUDevice, descriptor) {
    for (const { resource } of descriptor.entries) {
      largest.binding = Math.max(largest.binding, (resource as GPUBufferBinding).size ?? 0);
    }
    return createBindGroup.call(this, descriptor);
  });
  return largest;
}

let device: t.Device;
beforeAll(async () => {
  const bufferLimit = { bufferLimit: LIMIT } as t.DeviceOptions;
  device = await t.createDevice({ quiet: true, ...bufferLimit, poolBytes: 0 });
});
afterAll(() => device?.destroy());
afterEach(() => {
  vi.restoreAllMocks();
});

const AROUND = Array.from({ length: 131 }, (_, i) => i - 65);
/** Sizes at the largest buffer, at two of them, and at the sum of two. */
const SIZES = [
  ...AROUND.map((d) => WORDS + d),
  ...[-1, 0, 1].flatMap((d) => [WORDS - 64 + d, 2 * WORDS + d, 2 * (WORDS - 64) + d, 3 * WORDS + 5 + d]),
];

describe("around the largest buffer and binding", () => {
  it("zeros, full, uploads, reads, ops, slices and copies hold every element", async () => {
    const largest = watchSizes();
    for (const n of SIZES) {
      await device.scope(async () => {
        const values = Float32Array.from({ length: n }, (_, i) => i % 1009);
        const x = device.tensor(values);
        const read = await x.data();
        expect(read, `upload of ${n}`).toEqual(values);
        const [zeros, threes, sum] = [device.zeros([n]), device.full([n], 3), t.add(x, x)];
        const tail = t.slice(x, [[n - 5, n]]);
        const copy = emptyTensor(device, [n]);
        copy.assign(sum);
        const joined = t.concat([t.slice(x, [[0, 7]]), zeros, tail]);
        const [zero, three, two, last, whole] = await Promise.all(
          [zeros, threes, copy, tail, joined].map((y) => y.data()),
        );
        expect(zero!.length === n && zero!.every((v) => v === 0), `zeros of ${n}`).toBe(true);
        expect(three!.length === n && three!.every((v) => v === 3), `full of ${n}`).toBe(true);
        expect(
          two!.every((v, i) => v === 2 * values[i]!),
          `add of ${n}`,
        ).toBe(true);
        expect([...last!], `slice of ${n}`).toEqual([...values.slice(-5)]);
        expect([...whole!.slice(0, 7), ...whole!.slice(-5)]).toEqual([...values.slice(0, 7), ...values.slice(-5)]);
        expect(await t.max(x).item()).toBe(Math.max(...values));
      });
    }
    expect(largest.buffer).toBeLessThanOrEqual(LIMIT);
    expect(largest.binding).toBeLessThanOrEqual(LIMIT);
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
