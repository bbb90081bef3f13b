import * as reference from "@fcn/kernels/reference";
import * as t from "@fcn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gradCheck } from "../../support/gradcheck.js";
import { at, build, random, replaced } from "../../support/nd.js";
import { orderOf } from "../../support/orders.js";
import { assertProperty } from "../../support/property.js";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true, debug: { poison: true } });
});
afterAll(() => device?.destroy());

const RUNS = 12;
const int = (min: number, max: number) => fc.integer({ min, max });
const sizes = (rank: number, most: number) => fc.array(int(1, most), { minLength: rank, maxLength: rank });
const seeds = int(0, 1e6);
const images = fc.record({
  shape: fc.tuple(int(1, 2), int(1, 7), int(1, 8), int(1, 8)),
  order: orderOf(4),
  seed: seeds,
});
const anyRank = int(1, 4).chain((rank) => fc.record({ shape: sizes(rank, 5), order: orderOf(rank), seed: seeds }));

const pools = fc
  .record({
    kernel: int(1, 4),
    stride: int(1, 5),
    dilation: int(1, 2),
    ceilMode: fc.boolean(),
    share: int(0, 2),
    more: fc.boolean(),
  })
  .map(({ share, ...p }) => ({
    ...p,
    padding: Math.floor((Math.floor(((p.kernel - 1) * p.dilation + 1) / 2) * share) / 2),
  }));
const fits = (shape: readonly number[], p: reference.Pool) =>
  reference.pooledSize(shape[2]!, p) >= 1 && reference.pooledSize(shape[3]!, p) >= 1;

describe("pools", () => {
  const options = ({ kernel: kernelSize, stride, padding, dilation, ceilMode }: reference.Pool) => ({
    kernelSize,
    stride,
    padding,
    dilation,
    ceilMode,
  });

  it("maxPool2d", () =>
    assertProperty(fc.tuple(images, pools), 2 * RUNS, async ([{ shape, order, seed }, p]) => {
      fc.pre(fits(shape, p));
      await gradCheck(device, {
        inputs: [random(shape, seed)],
        orders: [order],
        seed,
        run: (x) => t.maxPool2d(x, options(p)),
        reference: (x) => reference.maxPool(x, p),
      });
    }));

  it("avgPool2d", () =>
    assertProperty(fc.tuple(images, pools), 2 * RUNS, async ([{ shape, order, seed }, pool]) => {
      const p = { ...pool, dilation: 1, padding: Math.min(pool.padding, Math.floor(pool.kernel / 2)) };
      fc.pre(fits(shape, p));
      const { kernel: kernelSize, stride, padding, ceilMode, more: countIncludePad } = p;
      await gradCheck(device, {
        inputs: [random(shape, seed)],
        orders: [order],
        seed,
        run: (x) => t.avgPool2d(x, { kernelSize, stride, padding, ceilMode, countIncludePad }),
        reference: (x) => reference.avgPool(x, p, countIncludePad),
      });
    }));
});

describe("normalisation", () => {
  it("batchNorm in training", () =>
    assertProperty(images, RUNS, async ({ shape, order, seed }) => {
      fc.pre(shape[0] * shape[2] * shape[3] >= 4);
      const vector = (k: number) => random([shape[1]], seed + k, 0.5, 1.5);
      // A variance near eps would make the reference's own second derivative the largest error.
      const x = random(shape, seed, -3, 3);
      await gradCheck(device, {
        inputs: [x, vector(10), vector(11)],
        orders: [order],
        seed,
        tolerance: 2e-4,
        run: (x, weight, bias) => t.batchNorm(x, { weight, bias, training: true, eps: 1e-2 }),
        reference: (x, weight, bias) => reference.batchNorm(x, weight, bias, 1e-2),
      });
    }));

  it("batchNorm in evaluation", () =>
    assertProperty(images, RUNS, async ({ shape, order, seed }) => {
      const c = shape[1];
      const [m, v] = [random([c], seed + 5), random([c], seed + 6, 0.5, 2)];
      await gradCheck(device, {
        inputs: [random(shape, seed), random([c], seed + 10), random([c], seed + 11)],
        orders: [order],
        seed,
        run: (x, weight, bias) =>
          t.batchNorm(x, {
            weight,
            bias,
            runningMean: device.tensor(Float32Array.from(m.data)),
            runningVar: device.tensor(Float32Array.from(v.data)),
          }),
        reference: (x, weight, bias) =>
          build(x.shape, (i) => {
            const k = i[1]!;
            return ((at(x, i) - m.data[k]!) / Math.sqrt(v.data[k]! + 1e-5)) * weight.data[k]! + bias.data[k]!;
          }),
      });
    }));

  it("batchNorm keeps its digits far from zero", async () => {
    await device.scope(async () => {
      const x = random([4, 3, 16, 16], 5, 1000, 1001);
      const y = await t.batchNorm(device.tensor(Float32Array.from(x.data), x.shape), { training: true }).data();
      const one = build([3], () => 1);
      const expected = reference.batchNorm(
        x,
        one,
        build([3], () => 0),
        1e-5,
      ).data;
      expect(Math.max(...y.map((v, i) => Math.abs(v - expected[i]!)))).toBeLessThan(2e-3);
    });
  });

  it.each(["with", "without"])("groupNorm %s weight and bias", (kind) =>
    assertProperty(
      fc.tuple(images, int(1, 3), int(1, 3)),
      2 * RUNS,
      async ([{ shape, order, seed }, groups, width]) => {
        const sizes = [shape[0], groups * width, 3 * shape[2], 2 * shape[3]];
        const vector = (k: number) => random([groups * width], seed + k, 0.5, 1.5);
        const [one, zero] = [build([groups * width], () => 1), build([groups * width], () => 0)];
        await gradCheck(device, {
          inputs: [random(sizes, seed, -3, 3), ...(kind === "with" ? [vector(10), vector(11)] : [])],
          orders: [order],
          seed,
          tolerance: 2e-4,
          run: (x, weight, bias) => t.groupNorm(x, { groups, weight, bias, eps: 1e-2 }),
          reference: (x, weight = one, bias = zero) => reference.groupNorm(x, weight, bias, groups, 1e-2),
        });
      },
    ),
  );

  it("groupNorm keeps its digits far from zero, without weight and bias", async () => {
    await device.scope(async () => {
      const x = random([2, 6, 40, 50], 5, 1000, 1001);
      const y = await t.groupNorm(device.tensor(Float32Array.from(x.data), x.shape), { groups: 2 }).data();
      const [one, zero] = [build([6], () => 1), build([6], () => 0)];
      const expected = reference.groupNorm(x, one, zero, 2, 1e-5).data;
      expect(Math.max(...y.map((v, i) => Math.abs(v - expected[i]!)))).toBeLessThan(2e-3);
    });
  });

  it("localResponseNorm", () =>
    assertProperty(fc.tuple(images, int(1, 6)), RUNS, async ([{ shape, order, seed }, size]) => {
      const options = { size, alpha: 0.5, beta: 0.75, k: 1.5 };
      await gradCheck(device, {
        inputs: [random(shape, seed, -2, 2)],
        orders: [order],
        seed,
        run: (x) => t.localResponseNorm(x, options),
        reference: (x) => reference.localResponseNorm(x, options),
      });
    }));
});

describe("interpolate", () => {
  it.each(["nearest", "bilinear", "bilinear, aligned"])("%s", (kind) =>
    assertProperty(fc.tuple(images, int(1, 13), int(1, 13)), RUNS, async ([{ shape, order, seed }, h, w]) => {
      const mode = kind === "nearest" ? "nearest" : "bilinear";
      const alignCorners = kind.endsWith("aligned");
      await gradCheck(device, {
        inputs: [random(shape, seed)],
        orders: [order],
        seed,
        run: (x) => t.interpolate(x, { size: [h, w], mode, alignCorners }),
        reference: (x) => (mode === "nearest" ? reference.nearest(x, h, w) : reference.bilinear(x, h, w, alignCorners)),
      });
    }),
  );
});

describe("softmax and its loss", () => {
  it.each([
    ["softmax", t.softmax, reference.softmax],
    ["logSoftmax", t.logSoftmax, reference.logSoftmax],
  ] as const)("%s", (_, run, expected) =>
    assertProperty(fc.tuple(anyRank, int(0, 3)), RUNS, async ([{ shape, order, seed }, pick]) => {
      const dim = pick % shape.length;
      await gradCheck(device, {
        inputs: [random(shape, seed, -4, 4)],
        orders: [order],
        seed,
        run: (x) => run(x, { dim: dim - (pick > 1 ? shape.length : 0) }),
        reference: (x) => expected(x, dim),
      });
    }),
  );

  it("crossEntropy", () =>
    assertProperty(
      fc.tuple(images, fc.constantFrom("mean", "sum", "none"), fc.boolean(), fc.constantFrom(255, -1, 0)),
      2 * RUNS,
      async ([{ shape, order, seed }, reduction, weighted, ignoreIndex]) => {
        const [n, c, h, w] = shape;
        const labels = build([n, h, w], ([i, y, x]) =>
          (i! + 3 * y! + 5 * x!) % 4 === 3 ? ignoreIndex : (seed + y! + x!) % c,
        );
        fc.pre(labels.data.some((label) => label !== ignoreIndex));
        const weight = weighted ? random([c], seed + 9, 0.5, 2) : undefined;
        await gradCheck(device, {
          inputs: [random(shape, seed, -3, 3)],
          orders: [order],
          seed,
          run: (x) =>
            t.crossEntropy(x, device.tensor(Int32Array.from(labels.data), labels.shape, { dtype: "int32" }), {
              ignoreIndex,
              reduction,
              ...(weight && { weight: device.tensor(Float32Array.from(weight.data)) }),
            }),
          reference: (x) => reference.crossEntropy(x, { labels, ignoreIndex, reduction, ...(weight && { weight }) }),
        });
      },
    ));
});

describe("reductions", () => {
  const total = (values: number[]) => values.reduce((a, b) => a + b, 0);
  it.each([
    ["sum", t.sum, total],
    ["mean", t.mean, (values: number[]) => total(values) / values.length],
    ["max", t.max, (values: number[]) => Math.max(...values)],
  ] as const)("%s", (_, run, fold) =>
    assertProperty(
      anyRank.chain((x) => fc.tuple(fc.constant(x), fc.subarray(x.shape.map((_, d) => d)), fc.boolean())),
      2 * RUNS,
      async ([{ shape, order, seed }, dims, keepdim]) => {
        const all = dims.length === 0 ? shape.map((_, d) => d) : dims;
        await gradCheck(device, {
          inputs: [random(shape, seed)],
          orders: [order],
          seed,
          run: (x) => run(x, { dim: dims, keepdim }),
          reference: (x) => reference.reduce(x, all, keepdim, fold),
        });
      },
    ),
  );
});

it("matmul, with batches that broadcast", () =>
  assertProperty(
    fc.record({
      batch: sizes(2, 3),
      drop: fc.boolean(),
      one: fc.boolean(),
      m: int(1, 20),
      k: int(1, 40),
      n: int(1, 20),
      seed: seeds,
    }),
    RUNS,
    async ({ batch, drop, one, m, k, n, seed }) => {
      const own = drop ? batch.slice(1) : replaced(batch, 0, one ? 1 : batch[0]!);
      await gradCheck(device, {
        inputs: [random([...batch, m, k], seed), random([...own, k, n], seed + 50)],
        orders: [[0, 1, 3, 2]],
        seed,
        run: t.matmul,
        reference: (a, b) => reference.matmul(a, b, [...batch, m, n]),
      });
    },
  ));
