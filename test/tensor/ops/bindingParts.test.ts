import * as t from "@fcn/tensor";
import { tensorStoredIn } from "@fcn/tensor/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { random } from "../../support/nd.js";

/** Every operand below is larger than this, so an op that binds one whole is refused by the device. */
const LIMIT = 4096;

interface Case {
  /** Shapes of the differentiable inputs; those of rank 4 are stored channels last. */
  readonly inputs: readonly (readonly number[])[];
  readonly run: (device: t.Device, ...inputs: t.Tensor[]) => t.Tensor;
  /** Inputs or outputs that no binding holds whole: at least so many. */
  readonly large: number;
}

const labels = (device: t.Device, shape: readonly number[], classes: number): t.Tensor => {
  const { data } = random(shape, 7, 0, classes + 1);
  const values = Int32Array.from(data, (v) => (v >= classes ? 255 : Math.floor(v)));
  return device.tensor(values, shape, { dtype: "int32" });
};

const CHANNELS_LAST = [0, 2, 3, 1];
const image = [2, 6, 24, 11];
const vector = [3, 8, 20, 7];
const wide = { dilation: 2, kernelSize: [3, 2], stride: [3, 1], padding: [2, 0], ceilMode: true } as const;
const overlap = { kernelSize: 3, stride: 2, padding: 1 };
const lrn = { size: 5, alpha: 0.5, beta: 0.75, k: 1 };
const one = (shape: readonly number[], run: (x: t.Tensor, device: t.Device) => t.Tensor, large = 2): Case => ({
  inputs: [shape],
  run: (device, x) => run(x!, device),
  large,
});

const cases: Record<string, Case> = {
  "maxPool2d, dilated": one(image, (x) => t.maxPool2d(x, wide), 1),
  "maxPool2d, vectors": one(vector, (x) => t.maxPool2d(x, { kernelSize: 2, stride: 1 })),
  avgPool2d: one(image, (x) => t.avgPool2d(x, { kernelSize: 3, stride: 1, padding: 1, countIncludePad: false })),
  "avgPool2d, strided": one(vector, (x) => t.avgPool2d(x, overlap), 1),
  "adaptiveAvgPool2d, uneven": one(image, (x) => t.adaptiveAvgPool2d(x, { outputSize: [17, 9] })),
  "adaptiveAvgPool2d, larger": one([2, 6, 5, 7], (x) => t.adaptiveAvgPool2d(x, { outputSize: [24, 11] }), 1),
  "adaptiveAvgPool2d, one": one(image, (x) => t.adaptiveAvgPool2d(x, { outputSize: 1 }), 1),
  "interpolate, up": one([2, 5, 9, 6], (x) => t.interpolate(x, { size: [31, 9], mode: "bilinear" }), 1),
  "interpolate, corners": one(
    [2, 5, 9, 6],
    (x) => t.interpolate(x, { size: [31, 9], mode: "bilinear", alignCorners: true }),
    1,
  ),
  "interpolate, down": one(image, (x) => t.interpolate(x, { size: [7, 5], mode: "bilinear" }), 1),
  "interpolate, nearest": one([2, 5, 12, 6], (x) => t.interpolate(x, { scaleFactor: 2.5 }), 1),
  localResponseNorm: one(image, (x) => t.localResponseNorm(x, lrn)),
  "batchNorm in training": {
    inputs: [image, [6], [6]],
    run: (_, x, weight, bias) => t.batchNorm(x!, { weight, bias, training: true }),
    large: 2,
  },
  "batchNorm in training, vectors": {
    inputs: [vector, [8], [8]],
    run: (_, x, weight, bias) => t.batchNorm(x!, { weight, bias, training: true }),
    large: 2,
  },
  "batchNorm in evaluation": {
    inputs: [image, [6], [6]],
    run: (device, x, weight, bias) =>
      t.batchNorm(x!, { weight, bias, runningMean: device.zeros([6]), runningVar: device.ones([6]) }),
    large: 2,
  },
  groupNorm: {
    inputs: [image, [6], [6]],
    run: (_, x, weight, bias) => t.groupNorm(x!, { groups: 3, weight, bias }),
    large: 2,
  },
  layerNorm: {
    inputs: [[45, 30], [30], [30]],
    run: (_, x, weight, bias) => t.layerNorm(x!, { normalizedShape: 30, weight, bias }),
    large: 2,
  },
  linear: {
    inputs: [[5, 30, 20], [24, 20], [24]],
    run: (_, x, w, b) => t.linear(x!, w!, b!),
    large: 2,
  },
  mseLoss: { inputs: [image, image], run: (_, a, b) => t.mseLoss(a!, b!), large: 2 },
  binaryCrossEntropyWithLogits: one(image, (x, d) => t.binaryCrossEntropyWithLogits(x, d.ones(image)), 1),
  "softmax over height": one(image, (x) => t.softmax(x, { dim: 2 })),
  "softmax over channels": one(image, (x) => t.softmax(x, { dim: 1 })),
  "logSoftmax over the batch of rows": one([40, 30], (x) => t.logSoftmax(x, { dim: 1 })),
  "crossEntropy, mean": one(image, (x, d) => t.crossEntropy(x, labels(d, [2, 24, 11], 6)), 1),
  "crossEntropy, none": one([2, 6, 40, 17], (x, d) =>
    t.crossEntropy(x, labels(d, [2, 40, 17], 6), { reduction: "none" }),
  ),
  "crossEntropy, weighted sum": one(
    vector,
    (x, d) =>
      t.crossEntropy(x, labels(d, [3, 20, 7], 8), {
        reduction: "sum",
        weight: d.tensor(Float32Array.from(random([8], 3, 0.5, 2).data)),
      }),
    1,
  ),
  "sum of all": one(image, (x) => t.sum(x), 1),
  "sum over the batch": one([9, 5, 24, 11], (x) => t.sum(x, { dim: 0 })),
  "sum over height and width": one(image, (x) => t.sum(x, { dim: [2, 3] }), 1),
  "mean over channels": one([2, 6, 40, 17], (x) => t.mean(x, { dim: 1 })),
  "max over height": one(image, (x) => t.max(x, { dim: 2 }), 1),
  "max of all": one(image, (x) => t.max(x), 1),
  "max over channels": one([2, 6, 40, 17], (x) => t.max(x, { dim: 1 })),
  "add, a vector to each pixel": {
    inputs: [image, [6, 1, 1]],
    run: (_, x, b) => t.add(x!, b!),
    large: 2,
  },
  "mul, a plane to each channel": {
    inputs: [
      [2, 6, 40, 17],
      [40, 17],
    ],
    run: (_, x, b) => t.mul(x!, b!),
    large: 2,
  },
  "div, of two layouts": {
    inputs: [
      [30, 50],
      [1, 50],
    ],
    run: (_, x, b) => t.div(x!, t.add(t.mul(b!, b!), 1)),
    large: 2,
  },
  "conv2d, one filter a channel": {
    inputs: [image, [6, 1, 3, 3], [6]],
    run: (_, x, w, b) => t.conv2d(x!, w!, b!, { padding: 1, groups: 6 }),
    large: 2,
  },
  "conv2d, one filter a channel, vectors": {
    inputs: [vector, [8, 1, 3, 2]],
    run: (_, x, w) => t.conv2d(x!, w!, undefined, { padding: [2, 1], dilation: [2, 1], stride: [2, 1], groups: 8 }),
    large: 1,
  },
  "convTranspose2d, one filter a channel": {
    inputs: [[2, 3, 9, 5], [3, 1, 4, 4], [3]],
    run: (_, x, w, b) => t.convTranspose2d(x!, w!, b!, { stride: 2, padding: 1, groups: 3 }),
    large: 1,
  },
  "matmul, row-major": {
    inputs: [
      [60, 41],
      [41, 52],
    ],
    run: (_, a, b) => t.matmul(a!, b!),
    large: 3,
  },
  "matmul, of a batch and a transpose": {
    inputs: [
      [5, 20, 32],
      [24, 32],
    ],
    run: (_, a, b) => t.matmul(a!, b!.permute([1, 0])),
    large: 2,
  },
  "matmul, of broadcast batches": {
    inputs: [
      [3, 1, 12, 40],
      [4, 40, 8],
    ],
    run: (_, a, b) => t.matmul(a!, b!),
    large: 3,
  },
  "flip, across": one(image, (x) => t.flip(x, { dims: [3] })),
  "flip, all dims": one(image, (x) => t.flip(x, { dims: [0, 1, 2, 3] })),
  "conv2d with bias": {
    inputs: [image, [4, 6, 3, 3], [4]],
    run: (_, x, w, b) => t.conv2d(x!, w!, b!, { padding: 1 }),
    large: 2,
  },
};

interface Result {
  readonly values: readonly Float32Array[];
  readonly large: number;
}

/** The value of a case and the gradients of its inputs. */
async function evaluate(device: t.Device, c: Case): Promise<Result> {
  return device.scope(async () => {
    const leaves = c.inputs.map((shape, i) => {
      const order = shape.length === 4 && shape[1] !== 1 ? CHANNELS_LAST : shape.map((_, dim) => dim);
      return tensorStoredIn(order, device, Float32Array.from(random(shape, 11 + i).data), shape, true);
    });
    const y = c.run(device, ...leaves);
    y.backward(device.tensor(Float32Array.from(random(y.shape, 5).data), y.shape));
    const large = [y, ...leaves].filter((tensor) => tensor.size * 4 > LIMIT).length;
    const values = [await y.data()];
    for (const leaf of leaves) values.push(await leaf.grad!.data());
    return { values: values as Float32Array[], large };
  });
}

describe("ops over bindings of 4096 bytes", () => {
  let whole: t.Device;
  let limited: t.Device;
  beforeAll(async () => {
    whole = await t.createDevice({ quiet: true });
    limited = await t.createDevice({ quiet: true, bindingLimit: LIMIT, debug: { poison: true } });
  });
  afterAll(() => {
    whole?.destroy();
    limited?.destroy();
  });

  it.each(Object.entries(cases))("%s", async (_, c) => {
    const expected = await evaluate(whole, c);
    const actual = await evaluate(limited, c);
    expect(expected.large).toBeGreaterThanOrEqual(c.large);
    actual.values.forEach((values, i) => {
      const reference = expected.values[i]!;
      const scale = Math.max(1e-3, ...reference.map(Math.abs));
      expect(values.length).toBe(reference.length);
      expect(Math.max(...values.map((v, k) => Math.abs(v - reference[k]!)))).toBeLessThanOrEqual(1e-5 * scale);
    });
  });

  it("argmax over channels and of all, first among equals", async () => {
    for (const options of [{ dim: 1 }, { dim: 0 }, {}]) {
      const data = Int32Array.from(random(image, 3, 0, 6).data, Math.floor);
      const [a, b] = await Promise.all(
        [whole, limited].map((device) =>
          device.scope(() => t.argmax(device.tensor(Float32Array.from(data), image), options).data()),
        ),
      );
      expect(b).toEqual(a);
    }
  });

  it("keeps the same running statistics", async () => {
    const run = (device: t.Device) =>
      device.scope(async () => {
        const [runningMean, runningVar] = [device.zeros([6]), device.ones([6])];
        const x = device.tensor(Float32Array.from(random(image, 1).data), image);
        t.batchNorm(x, { runningMean, runningVar, training: true });
        return [...(await runningMean.data()), ...(await runningVar.data())];
      });
    const [a, b] = [await run(whole), await run(limited)];
    expect(Math.max(...a.map((v, i) => Math.abs(v - b[i]!)))).toBeLessThan(1e-6);
  });

  it("reports the pixel of a label that is out of range", async () => {
    await limited.scope(async () => {
      const target = new Int32Array(2 * 24 * 11);
      target[500] = 6;
      const x = limited.tensor(Float32Array.from(random(image, 1).data), image);
      const loss = t.crossEntropy(x, limited.tensor(target, [2, 24, 11], { dtype: "int32" }));
      await expect(loss.item()).rejects.toMatchObject({ code: "label-out-of-range", message: /500/ });
    });
  });
});
