import { readFileSync } from "node:fs";
import * as t from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { roundedToHalf } from "../support/half.js";
import { random } from "../support/nd.js";

let device: t.Device;
let without: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true, debug: { poison: true } });
  without = await t.createDevice({ quiet: true, float16: false });
});
afterAll(() => {
  device?.destroy();
  without?.destroy();
});

const FLOAT16 = { dtype: "float16" } as const;
const values = async (x: t.Tensor) => Array.from(await x.data());
const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;
const refused = (code: string, fix: string) =>
  expect.objectContaining({ code, fix: expect.stringContaining(fix) as unknown });

/** Ties both ways, the largest and the smallest numbers and what lies beyond, zeros, infinities and NaN. */
const CORNERS = [
  ...[1, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -20, 2049, 2051, 0.1, -0.1, 1 / 3],
  ...[65504, 65519, 65520, -65520, 70000, 3e38, 2 ** -14, 2 ** -24, 2 ** -25, 1.5 * 2 ** -25, 5.1 * 2 ** -24, -1e-30],
  ...[0, -0, INF, -INF, NAN],
];

describe("a float16 tensor", () => {
  it("holds each value rounded to the nearest, however it is made", async () => {
    await device.scope(async () => {
      const numbers = [...CORNERS, ...Array.from(random([1000], 1, -300, 300).data)].map(Math.fround);
      const want = numbers.map(roundedToHalf);
      const x = device.tensor(numbers, [numbers.length], FLOAT16);
      expect(x.dtype).toBe("float16");
      expect(await x.data()).toBeInstanceOf(Float32Array);
      expect(await values(x)).toEqual(want);
      expect(await values(device.tensor(numbers).to("float16"))).toEqual(want);
      expect(await values(x.to("float32"))).toEqual(want);
      const y = device.zeros([numbers.length], FLOAT16);
      y.assign(numbers);
      expect(await values(y)).toEqual(want);
      expect(await values(device.full([3, 5], 0.1, FLOAT16))).toEqual(new Array(15).fill(roundedToHalf(0.1)));
      expect(
        await device
          .tensor(
            [
              [0.1, 2],
              [3, 4],
            ],
            undefined,
            FLOAT16,
          )
          .array(),
      ).toEqual([
        [roundedToHalf(0.1), 2],
        [3, 4],
      ]);
    });
  });

  it("converts to and from integers", async () => {
    await device.scope(async () => {
      const whole = device.tensor([1, -2, 2049, 70000], [4], { dtype: "int32" });
      expect(await values(whole.to("float16"))).toEqual([1, -2, 2048, INF]);
      expect(await values(device.tensor([1.5, -2.7, INF, NAN], [4], FLOAT16).to("int32"))).toEqual([
        1,
        -2,
        2 ** 31 - 1,
        0,
      ]);
    });
  });

  it("takes half the memory", async () => {
    await device.scope(async () => {
      const bytes = (make: () => t.Tensor): number => {
        const before = device.memory().liveBytes;
        using x = make();
        expect(x.size).toBe(2 ** 20);
        return device.memory().liveBytes - before;
      };
      expect(bytes(() => device.zeros([2 ** 20], FLOAT16))).toBe(2 ** 21);
      expect(bytes(() => device.zeros([2 ** 20]))).toBe(2 ** 22);
    });
  });

  it("beside float32 gives float32, and beside a number stays float16", async () => {
    await device.scope(async () => {
      const x = device.tensor([0.5, 2], [2], FLOAT16);
      expect(t.add(x, x).dtype).toBe("float16");
      expect(t.mul(x, 3).dtype).toBe("float16");
      expect(t.pow(2, x).dtype).toBe("float16");
      const both = t.add(x, device.tensor([2 ** -20, 1]));
      expect([both.dtype, await values(both)]).toEqual(["float32", [0.5 + 2 ** -20, 3]]);
      expect(await values(t.eq(x, 2))).toEqual([0, 1]);
    });
  });

  it("has a gradient of float16 as a leaf, and takes no other", async () => {
    await device.scope(async () => {
      const x = device.tensor([0.5, 2], [2], { ...FLOAT16, requiresGrad: true });
      t.mul(x, 3).backward(device.tensor([1, 0.1]));
      expect(x.grad!.dtype).toBe("float16");
      expect(await values(x.grad!)).toEqual([3, roundedToHalf(3 * roundedToHalf(0.1))]);
      expect(() => {
        x.grad = device.zeros([2]);
      }).toThrow(refused("invalid-dtype", 'gradient.to("float16")'));
    });
  });

  it("is replayed by captured functions, apart from float32 of the same shape", async () => {
    const step = device.capture((x: t.Tensor) => t.relu(t.add(x, 0.1)));
    for (let i = 0; i < 4; i++) {
      await device.scope(async () => {
        const x = device.tensor([i, -i - 1, 0.1], [3]);
        const [wide, half] = [await step(x), await step(x.to("float16"))];
        expect([wide.dtype, half.dtype]).toEqual(["float32", "float16"]);
        const tenth = Math.fround(0.1);
        expect(await values(wide)).toEqual([i + tenth, 0, tenth + tenth].map(Math.fround));
        const sums = [i + tenth, 0, roundedToHalf(0.1) + tenth].map((v) => roundedToHalf(Math.fround(v)));
        expect(await values(half)).toEqual(sums);
      });
    }
    step.dispose();
  });

  it("is checked for NaN and infinity where that was asked for", async () => {
    const checking = await t.createDevice({ quiet: true, debug: { nanCheck: true } });
    const x = checking.tensor([1, 60000, 2], [3], FLOAT16);
    expect(await values(t.mul(x, 1))).toEqual([1, 60000, 2]);
    await expect(t.mul(x, 2).data()).rejects.toThrow("mul");
    checking.destroy();
  });
});

it("has the bits of PyTorch's float16 in conversions and arithmetic", async () => {
  const golden = JSON.parse(readFileSync(new URL("../golden/half.json", import.meta.url), "utf8"));
  const floats = (name: string) => new Float32Array(Uint32Array.from(golden[name]).buffer);
  const tensor = (name: string) => device.tensor(floats(name), [golden[name].length]);
  await device.scope(async () => {
    const [a, b] = [tensor("a").to("float16"), tensor("b").to("float16")];
    const found: Record<string, t.Tensor> = {
      half: tensor("x").to("float16"),
      ...{ a, b, add: t.add(a, b), sub: t.sub(a, b), mul: t.mul(a, b), neg: t.neg(a) },
      ...{ addNumber: t.add(a, 0.25), mulNumber: t.mul(a, 3) },
      wholeHalf: device.tensor(golden.whole, [golden.whole.length], { dtype: "int32" }).to("float16"),
    };
    for (const [name, y] of Object.entries(found)) {
      expect(y.dtype).toBe("float16");
      expect([name, ...(await values(y))]).toEqual([name, ...floats(name)]);
    }
    expect(await values(a.to("int32"))).toEqual(golden.truncated);
  });
});

describe("float16 is refused with a remedy", () => {
  it("on a device without shader-f16, where float32 works", async () => {
    expect([device.hasFloat16, without.hasFloat16]).toEqual([true, false]);
    const remedy = refused("unsupported", "use float32");
    expect(() => without.zeros([2], FLOAT16)).toThrow(remedy);
    expect(() => without.tensor([1], [1], FLOAT16)).toThrow(remedy);
    const x = without.tensor([1, 2]);
    expect(() => x.to("float16")).toThrow(remedy);
    expect(await values(t.add(x, x))).toEqual([2, 4]);
  });

  it("by ops that have no kernel for it", () => {
    const x = device.zeros([2, 2], FLOAT16);
    expect(() => t.matmul(x, x)).toThrow(refused("invalid-dtype", '.to("float32")'));
    expect(() => t.addInto(device.zeros([2, 2]), x, { begin: [0, 0] })).toThrow(
      refused("invalid-dtype", '.to("float32")'),
    );
    const image = device.zeros([1, 1, 4, 4], FLOAT16);
    expect(() => t.conv2d(image, device.zeros([1, 1, 3, 3], FLOAT16))).toThrow(
      refused("invalid-dtype", 'w.to("float32")'),
    );
    x.dispose();
    image.dispose();
  });

  it("by files", async () => {
    const x = device.zeros([2], FLOAT16);
    await expect(t.io.encodeSafetensors({ x })).rejects.toThrow("its dtype is");
  });
});
