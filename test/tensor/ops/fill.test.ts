import { fillStep, finiteCheck, planFill, wordBits } from "@fcn/kernels";
import { createDevice, type Device, log, mul, TensorError } from "@fcn/tensor";
import { runPlan } from "@fcn/tensor/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const LIMIT = 4096;

let device: Device;
let checked: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true, bindingLimit: LIMIT });
  checked = await createDevice({ quiet: true, bindingLimit: LIMIT, debug: { nanCheck: true } });
});
afterAll(() => {
  device?.destroy();
  checked?.destroy();
});

describe("a fill", () => {
  it.each([1, 63, 64, 65, 255, 256, 257, 700])("writes the first %i words and no others", async (count) => {
    const values = await device.scope(() => {
      const y = device.tensor(new Float32Array(1000).fill(1), [1000]);
      runPlan(device, "fill", { steps: [fillStep(count, wordBits(-2.5, "float32"))] }, { y });
      return y.data();
    });
    expect(Array.from(values)).toEqual(Array.from({ length: 1000 }, (_, i) => (i < count ? -2.5 : 1)));
  });

  it("of more than a binding holds writes all words", async () => {
    const values = await device.scope(() => {
      const y = device.tensor(new Int32Array(3001).fill(1), [3001], { dtype: "int32" });
      runPlan(device, "fill", planFill(3001, wordBits(-7, "int32"), device.capabilities), { y });
      return y.data();
    });
    expect(new Set(values)).toEqual(new Set([-7]));
  });
});

describe("the check of results", () => {
  /** What is said of the logarithm of ones with a -1 at these places, or the finite sum of all values. */
  const found = (count: number, ...places: number[]): Promise<string> =>
    checked.scope(async () => {
      const values = Float32Array.from({ length: count }, (_, i) => (places.includes(i) ? -1 : 1));
      try {
        return `${(await log(checked.tensor(values, [count])).data()).length} values`;
      } catch (error) {
        const { code, message } = error as TensorError;
        return error instanceof TensorError ? `${code}, element ${/at element (\d+)/.exec(message)?.[1]}` : message;
      }
    });

  it.each([0, 1, 63, 64, 900, 1023, 1024, 1100, 2500, 2999])("names element %i", async (place) => {
    expect(await found(3000, place)).toBe(`not-finite, element ${place}`);
  });

  it("goes through the rows of a grid", async () => {
    using wide = await createDevice({ quiet: true });
    const found = wide.scope(() => {
      const x = wide.tensor(Float32Array.from({ length: 6000 }, (_, i) => (i === 5900 ? Infinity : 1)));
      runPlan(wide, "check", { steps: [{ ...finiteCheck(6000, 0, 0), grid: [2, 3, 1] }] }, { x });
      return x.data();
    });
    await expect(found).rejects.toMatchObject({ code: "not-finite" });
  });

  it("names the last of any number of elements", async () => {
    for (const count of [1, 63, 65, 100, 1023]) {
      expect(await found(count, count - 1)).toBe(`not-finite, element ${count - 1}`);
      expect(await found(count)).toBe(`${count} values`);
    }
  });

  it("takes infinity for what is not finite, and the largest and smallest floats for finite ones", async () => {
    await checked.scope(async () => {
      const all = checked.tensor([3.4e38, -3.4e38, 1e-45, -0, 0]);
      expect((await mul(all, 1).data())[0]).toBeCloseTo(3.4e38, -35);
      await expect(mul(all, 2).data()).rejects.toMatchObject({ code: "not-finite" });
    });
  });
});
