import * as reference from "@fcn/kernels/reference";
import * as t from "@fcn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gradCheck } from "../../support/gradcheck.js";
import { build, type Nd, random } from "../../support/nd.js";
import { orderOf } from "../../support/orders.js";
import { assertProperty } from "../../support/property.js";

const DEVICES: Record<string, t.DeviceOptions> = {
  "a whole device": {},
  "small bindings": { bindingLimit: 4096 },
};

const int = (min: number, max: number) => fc.integer({ min, max });
const seeds = int(0, 1e6);
const images = fc.record({
  shape: fc.tuple(int(1, 2), int(1, 7), int(1, 9), int(1, 9)),
  order: orderOf(4),
  seed: seeds,
});
const RUNS = 12;

const map = (x: Nd, f: (v: number, i: number) => number): Nd => ({ shape: x.shape, data: x.data.map(f) });
const reduce = ({ shape, data }: Nd, reduction: string): Nd => {
  if (reduction === "none") return { shape, data };
  const total = data.reduce((sum, v) => sum + v, 0);
  return { shape: [], data: Float64Array.of(reduction === "mean" ? total / data.length : total) };
};

describe.each(Object.entries(DEVICES))("on %s", (_, options) => {
  let device: t.Device;
  beforeAll(async () => {
    device = await t.createDevice({ quiet: true, debug: { poison: true }, ...options });
  });
  afterAll(() => device?.destroy());

  it("adaptiveAvgPool2d", () =>
    assertProperty(fc.tuple(images, int(1, 12), int(1, 12)), 2 * RUNS, async ([{ shape, order, seed }, h, w]) => {
      await gradCheck(device, {
        inputs: [random(shape, seed)],
        orders: [order],
        seed,
        run: (x) => t.adaptiveAvgPool2d(x, { outputSize: [h, w] }),
        reference: (x) => reference.adaptiveAvgPool(x, [h, w]),
      });
    }));

  it.each(["with", "without"])("layerNorm %s weight and bias", (kind) =>
    assertProperty(fc.tuple(images, int(1, 3)), RUNS, async ([{ shape, order, seed }, dims]) => {
      const own = [shape[0], 3 * shape[1], shape[2], 2 + shape[3]];
      const normalizedShape = own.slice(4 - dims);
      const size = normalizedShape.reduce((product, n) => product * n, 1);
      const vector = (k: number) => random(normalizedShape, seed + k, 0.5, 1.5);
      const [one, zero] = [build([size], () => 1), build([size], () => 0)];
      await gradCheck(device, {
        inputs: [random(own, seed, -3, 3), ...(kind === "with" ? [vector(10), vector(11)] : [])],
        orders: [order],
        seed,
        tolerance: 2e-4,
        run: (x, weight, bias) => t.layerNorm(x, { normalizedShape, weight, bias, eps: 1e-2 }),
        reference: (x, weight = one, bias = zero) => {
          const rows = { shape: [x.data.length / size, size], data: x.data };
          return { shape: x.shape, data: reference.layerNorm(rows, weight, bias, 1e-2).data };
        },
      });
    }),
  );

  it("linear", () =>
    assertProperty(
      fc.tuple(fc.array(int(1, 6), { maxLength: 3 }), int(1, 9), int(1, 9), orderOf(2), fc.boolean(), seeds),
      2 * RUNS,
      async ([lead, inFeatures, outFeatures, order, hasBias, seed]) => {
        const zero = build([outFeatures], () => 0);
        await gradCheck(device, {
          inputs: [
            random([...lead, inFeatures], seed),
            random([outFeatures, inFeatures], seed + 1),
            ...(hasBias ? [random([outFeatures], seed + 2)] : []),
          ],
          orders: [[...lead, inFeatures].map((_, i) => lead.length - i), order],
          seed,
          run: (x, w, b) => t.linear(x, w, b),
          reference: (x, w, b = zero) =>
            build([...lead, outFeatures], (index) => {
              const at = (row: number, i: number) =>
                x.data[row * inFeatures + i]! * w.data[index.at(-1)! * inFeatures + i]!;
              const row = lead.reduce((total, n, i) => total * n + index[i]!, 0);
              return Array.from({ length: inFeatures }, (_, i) => at(row, i)).reduce(
                (sum, v) => sum + v,
                b.data[index.at(-1)!]!,
              );
            }),
        });
      },
    ));

  const losses = fc.tuple(images, fc.constantFrom("mean", "sum", "none"));

  it("mseLoss and l1Loss", () =>
    assertProperty(losses, RUNS, async ([{ shape, order, seed }, reduction]) => {
      const pair = [random(shape, seed), random(shape, seed + 5)];
      const orders = [order, [3, 1, 0, 2]];
      const shared = { inputs: pair, orders, seed };
      const o = { reduction: reduction as "mean" };
      await gradCheck(device, {
        ...shared,
        run: (a, b) => t.mseLoss(a, b, o),
        reference: (a, b) =>
          reduce(
            map(a, (v, i) => (v - b.data[i]!) ** 2),
            reduction,
          ),
      });
      await gradCheck(device, {
        ...shared,
        run: (a, b) => t.l1Loss(a, b, o),
        reference: (a, b) =>
          reduce(
            map(a, (v, i) => Math.abs(v - b.data[i]!)),
            reduction,
          ),
      });
    }));

  it("binaryCrossEntropyWithLogits", () =>
    assertProperty(losses, RUNS, async ([{ shape, order, seed }, reduction]) => {
      const channels = shape[1];
      const target = random(shape, seed + 5, 0, 1);
      const [weight, posWeight] = [random(shape, seed + 6, 0.5, 2), random([channels, 1, 1], seed + 7, 0.5, 3)];
      const upload = ({ data, shape }: Nd) => device.tensor(Float32Array.from(data), shape);
      await gradCheck(device, {
        inputs: [random(shape, seed, -4, 4)],
        orders: [order],
        seed,
        tolerance: 1e-4,
        run: (x) =>
          t.binaryCrossEntropyWithLogits(x, upload(target), {
            weight: upload(weight),
            posWeight: upload(posWeight),
            reduction: reduction as "mean",
          }),
        reference: (x) => {
          const area = shape[2] * shape[3];
          const loss = map(x, (v, i) => {
            const p = 1 / (1 + Math.exp(-v));
            const positive = posWeight.data[Math.floor(i / area) % channels]! * target.data[i]! * Math.log(p);
            return -weight.data[i]! * (positive + (1 - target.data[i]!) * Math.log(1 - p));
          });
          return reduce(loss, reduction);
        },
      });
    }));

  it("binary cross-entropy is finite, and its gradient exact, at 0 and at logits of any size", async () => {
    await device.scope(async () => {
      const x = device.tensor([0, 0, 1000, -1000, 1000, -1000], [6], { requiresGrad: true });
      const target = device.tensor([0, 1, 1, 0, 0, 1]);
      const loss = t.binaryCrossEntropyWithLogits(x, target, { reduction: "none" });
      const values = await loss.data();
      for (const [i, want] of [Math.LN2, Math.LN2, 0, 0, 1000, 1000].entries()) expect(values[i]).toBeCloseTo(want, 6);
      t.sum(loss).backward();
      expect(Array.from(await x.grad!.data())).toEqual([0.5, -0.5, 0, 0, 1, -1]);
    });
  });

  it("losses of halves are summed as floats", async () => {
    if (!device.hasFloat16) return;
    await device.scope(async () => {
      const x = device.tensor(
        Float32Array.from({ length: 4000 }, () => 200),
        [4000],
        { dtype: "float16", requiresGrad: true },
      );
      const zero = device.zeros([4000]);
      for (const [loss, want, slope] of [
        [t.mseLoss(x, zero, { reduction: "sum" }), 4000 * 40_000, 400],
        [t.l1Loss(x, zero, { reduction: "sum" }), 800_000, 1],
        [t.binaryCrossEntropyWithLogits(x, zero, { reduction: "sum" }), 800_000, 1],
      ] as const) {
        expect(loss.dtype).toBe("float32");
        expect(await loss.item()).toBe(want);
        x.zeroGrad();
        loss.backward();
        expect(x.grad!.dtype).toBe("float16");
        expect(new Set(await x.grad!.data())).toEqual(new Set([slope]));
      }
    });
  });

  it("leave nothing behind but the result", async () => {
    await device.scope(async () => {
      const x = device.randn([2, 3, 4, 5], { seed: 1 });
      const w = device.randn([7, 5], { seed: 2 });
      const calls: Record<string, () => t.Tensor> = {
        adaptiveAvgPool2d: () => t.adaptiveAvgPool2d(x, { outputSize: 3 }),
        layerNorm: () => t.layerNorm(x, { normalizedShape: [4, 5] }),
        linear: () => t.linear(x, w, undefined),
        mseLoss: () => t.mseLoss(x, x),
        l1Loss: () => t.l1Loss(x, x),
        bce: () => t.binaryCrossEntropyWithLogits(x, x, { reduction: "none", weight: x, posWeight: x }),
      };
      for (const [name, call] of Object.entries(calls)) {
        const { liveTensors } = device.memory();
        const y = call();
        expect(device.memory().liveTensors, name).toBe(liveTensors + 1);
        y.dispose();
      }
    });
  });

  it("refuse operands that do not fit", async () => {
    await device.scope(() => {
      const x = device.zeros([2, 3, 4, 5]);
      expect(() => t.adaptiveAvgPool2d(x, { outputSize: 0 })).toThrow(/outputSize is 0, expected a whole number/);
      expect(() => t.adaptiveAvgPool2d(x, { outputSize: [1, 2, 3] as never })).toThrow(/outputSize is \[1,2,3\]/);
      expect(() => t.adaptiveAvgPool2d(x, { outputSize: [2 ** 30, null] })).toThrow(/must be below 2\^32/);
      expect(() => t.adaptiveAvgPool2d(device.zeros([4, 5]), { outputSize: 1 })).toThrow(/expected \[N, C, H, W\]/);
      expect(() => t.layerNorm(x, { normalizedShape: [4] })).toThrow(/does not end in normalizedShape \[4\]/);
      expect(() => t.layerNorm(x, { normalizedShape: 5, weight: device.ones([4]) })).toThrow(
        /weight has shape \[4\], expected \[5\]/,
      );
      expect(() => t.linear(x, device.zeros([3, 4]))).toThrow(/last dimension of x must be 4/);
      expect(() => t.linear(x, device.zeros([3, 5]), device.zeros([5]))).toThrow(
        /bias has shape \[5\], expected \[3\]/,
      );
      expect(() => t.mseLoss(x, device.zeros([4, 5]))).toThrow(
        /mseLoss: input has shape \[2, 3, 4, 5\], target \[4, 5\]/,
      );
      expect(() => t.l1Loss(x, x, { reduction: "batchmean" as "mean" })).toThrow(/reduction is "batchmean"/);
      expect(() => t.binaryCrossEntropyWithLogits(x, x, { weight: device.zeros([3, 1, 1, 1, 5]) })).toThrow(
        /weight has shape \[3, 1, 1, 1, 5\], which does not broadcast/,
      );
    });
  });
});
