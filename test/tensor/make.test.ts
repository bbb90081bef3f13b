import * as t from "@fcn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assertProperty } from "../support/property.js";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true, debug: { poison: true } });
});
afterAll(() => device?.destroy());

const refusal = (code: string, message: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

describe("nested data", () => {
  it("comes back from array() as it went in", () =>
    assertProperty(
      fc.record({
        shape: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 5 }),
        seed: fc.integer({ min: 0, max: 1e6 }),
        dtype: fc.constantFrom<t.DType>("float32", "int32"),
      }),
      20,
      async ({ shape, seed, dtype }) => {
        await device.scope(async () => {
          const size = shape.reduce((a, b) => a * b, 1);
          const x = device.tensor(
            Int32Array.from({ length: size }, (_, i) => seed + i),
            shape,
            { dtype },
          );
          const nested = await x.array();
          const again = device.tensor(nested, undefined, { dtype });
          expect([again.shape, await again.array()]).toEqual([shape, nested]);
        });
      },
    ));

  it("may hold typed arrays, and is refused where it is ragged or not of numbers", async () => {
    await device.scope(async () => {
      const x = device.tensor([Float32Array.of(1, 2), [3, 4]] as unknown as t.Nested);
      expect(await x.array()).toEqual([
        [1, 2],
        [3, 4],
      ]);
      const make = (data: unknown, shape?: number[]) => () => device.tensor(data as t.Nested, shape);
      expect(make([[1, 2], [3]])).toThrow(refusal("invalid-shape", "1 items at [1], expected 2 items"));
      expect(make([[1, 2], 3])).toThrow(refusal("invalid-shape", "a number at [1]"));
      expect(make([1, [2]])).toThrow(refusal("invalid-shape", "at [1]"));
      expect(make([[1], ["2"]])).toThrow(refusal("invalid-argument", "at [1][0]"));
      expect(make([[1, 2]], [2])).toThrow(refusal("invalid-shape", "nested as [1, 2] for shape [2]"));
      expect(make([[1, 2]], [1, 2])().shape).toEqual([1, 2]);
    });
  });
});

describe("int32", () => {
  it.each([1.5, Number.NaN, 3e10, 2 ** 31, Number.POSITIVE_INFINITY])("does not hold %d", async (value) => {
    await device.scope(() => {
      const int32 = { dtype: "int32" } as const;
      expect(() => device.full([2], value, int32)).toThrow(refusal("invalid-argument", `value is ${value}`));
      expect(() => device.tensor([0, value], [2], int32)).toThrow(
        refusal("invalid-argument", `value 1 of the host data is ${value}`),
      );
      const x = device.zeros([2], int32);
      expect(() => x.assign(Float64Array.of(value, 0))).toThrow(refusal("invalid-argument", "assign: value 0"));
    });
  });

  it("holds the ends of its range", async () => {
    await device.scope(async () => {
      const ends = [-(2 ** 31), 2 ** 31 - 1];
      expect(Array.from(await device.tensor(ends, [2], { dtype: "int32" }).data())).toEqual(ends);
      expect(Array.from(await device.full([1], ends[0]!, { dtype: "int32" }).data())).toEqual([ends[0]]);
    });
  });
});

it("a number fills any shape of one element", async () => {
  using x = device.tensor(5, [1, 1]);
  expect(await x.array()).toEqual([[5]]);
  expect(() => device.tensor(5, [2])).toThrow(refusal("invalid-shape", "for shape [2]"));
});

it("64-bit labels become int32, where they fit", async () => {
  using x = device.tensor(BigInt64Array.of(3n, -1n), [2], { dtype: "int32" });
  expect(Array.from(await x.data())).toEqual([3, -1]);
  const wide = BigInt64Array.of(0n, 2n ** 40n);
  expect(() => device.tensor(wide, [2], { dtype: "int32" })).toThrow(refusal("invalid-argument", "value 1"));
});

it("full wants a number", () => {
  expect(() => device.full([2], undefined as unknown as number)).toThrow(
    refusal("invalid-argument", "value is missing"),
  );
});

it("a shape is fixed, and no list of the caller's", () => {
  const given = [2, 3];
  using x = device.zeros(given);
  given[0] = 9;
  expect(x.shape).toEqual([2, 3]);
  for (const y of [x, x.reshape([6]), x.permute([1, 0])])
    expect(() => ((y.shape as number[])[0] = 9)).toThrow(TypeError);
});
