import type { Plan } from "@fcn/kernels";
import * as t from "@fcn/tensor";
import { tensorStoredIn } from "@fcn/tensor/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { random } from "../../support/nd.js";

/**
 * A plan whose grids have rows, as those past 65,535 workgroups have: two, or three where two would make a square. The
 * last workgroups may be too many.
 */
function folded(plan: Plan): Plan {
  const steps = plan.steps.map((step) => {
    const [x, y, z] = step.grid;
    const rows = Math.ceil(x / 2) === 2 ? 3 : 2;
    return y > 1 || x < 2 ? step : { ...step, grid: [Math.max(2, Math.ceil(x / rows)), rows, z] as const };
  });
  return { ...plan, steps };
}

interface Engine {
  run(op: string, plan: Plan, operands: object): void;
}

function foldGrids(device: t.Device): void {
  const { engine } = (device as unknown as { runtime: { engine: Engine } }).runtime;
  const run = engine.run.bind(engine);
  engine.run = (op, plan, operands) => run(op, folded(plan), operands);
}

interface Case {
  /** Shapes of the differentiable inputs; those of rank 4 are stored channels last. */
  readonly inputs: readonly (readonly number[])[];
  readonly run: (device: t.Device, ...inputs: t.Tensor[]) => t.Tensor;
}

const image = [2, 6, 12, 11];
const vector = [2, 8, 12, 11];
const one = (shape: readonly number[], run: (x: t.Tensor, device: t.Device) => t.Tensor): Case => ({
  inputs: [shape],
  run: (device, x) => run(x!, device),
});
const labels = (device: t.Device, shape: readonly number[], classes: number): t.Tensor =>
  device.tensor(Int32Array.from(random(shape, 7, 0, classes).data, Math.floor), shape, { dtype: "int32" });
const norm = (shape: readonly number[], run: (x: t.Tensor, weight: t.Tensor, bias: t.Tensor) => t.Tensor): Case => ({
  inputs: [shape, [shape[1]!], [shape[1]!]],
  run: (_, x, weight, bias) => run(x!, weight!, bias!),
});

const window = { kernelSize: 3, stride: 2, padding: 1 };
const cases: Record<string, Case> = {
  maxPool2d: one(image, (x) => t.maxPool2d(x, window)),
  "maxPool2d, vectors": one(vector, (x) => t.maxPool2d(x, { kernelSize: 2, stride: 1 })),
  avgPool2d: one(vector, (x) => t.avgPool2d(x, window)),
  "interpolate, up": one([2, 6, 7, 5], (x) => t.interpolate(x, { size: [13, 9], mode: "bilinear" })),
  "interpolate, nearest": one([2, 6, 7, 5], (x) => t.interpolate(x, { scaleFactor: 2 })),
  localResponseNorm: one(image, (x) => t.localResponseNorm(x, { size: 5, alpha: 0.5, beta: 0.75, k: 1 })),
  "batchNorm in training": norm(image, (x, weight, bias) => t.batchNorm(x, { weight, bias, training: true })),
  "batchNorm of many channels": norm([2, 144, 3, 5], (x, weight, bias) =>
    t.batchNorm(x, { weight, bias, training: true }),
  ),
  "batchNorm in evaluation of many channels": one([2, 144, 3, 5], (x, d) => {
    const of = (seed: number) => d.tensor(Float32Array.from(random([144], seed, 0.5, 2).data));
    return t.batchNorm(x, { runningMean: of(3), runningVar: of(4) });
  }),
  "groupNorm of many channels": norm([2, 144, 3, 5], (x, weight, bias) => t.groupNorm(x, { groups: 72, weight, bias })),
  "softmax over channels": one(image, (x) => t.softmax(x, { dim: 1 })),
  "softmax over width": one(image, (x) => t.softmax(x, { dim: 3 })),
  "crossEntropy, mean": one(image, (x, d) => t.crossEntropy(x, labels(d, [2, 12, 11], 6))),
  "crossEntropy, none": one(image, (x, d) => t.crossEntropy(x, labels(d, [2, 12, 11], 6), { reduction: "none" })),
  "sum over rows": one([150, 7], (x) => t.sum(x, { dim: 1 })),
  "sum of columns": one([150, 130], (x) => t.sum(x, { dim: 0 })),
  "sum of all": one([150, 130], (x) => t.sum(x)),
  "max over rows": one([150, 7], (x) => t.max(x, { dim: 1 })),
  "max of all": one([150, 130], (x) => t.max(x)),
  matmul: {
    inputs: [
      [3, 30, 24],
      [24, 36],
    ],
    run: (_, a, b) => t.matmul(a!, b!),
  },
  "matmul in slices": {
    inputs: [
      [20, 700],
      [700, 12],
    ],
    run: (_, a, b) => t.matmul(a!, b!),
  },
  "add, a vector to each pixel": { inputs: [image, [6, 1, 1]], run: (_, x, b) => t.add(x!, b!) },
  flip: one(image, (x) => t.flip(x, { dims: [0, 3] })),
  conv2d: {
    inputs: [vector, [10, 8, 3, 3], [10]],
    run: (_, x, w, b) => t.conv2d(x!, w!, b!, { padding: 1 }),
  },
  "conv2d in groups": {
    inputs: [image, [4, 3, 3, 2]],
    run: (_, x, w) => t.conv2d(x!, w!, undefined, { stride: [2, 1], groups: 2 }),
  },
  convTranspose2d: {
    inputs: [vector, [8, 6, 4, 4], [6]],
    run: (_, x, w, b) => t.convTranspose2d(x!, w!, b!, { stride: 2, padding: 1 }),
  },
  "conv2d, one filter a channel": {
    inputs: [vector, [8, 1, 3, 3], [8]],
    run: (_, x, w, b) => t.conv2d(x!, w!, b!, { padding: 1, groups: 8 }),
  },
  "conv2d, one filter a channel, scalars": {
    inputs: [image, [6, 1, 3, 3]],
    run: (_, x, w) => t.conv2d(x!, w!, undefined, { padding: 1, groups: 6 }),
  },
  dropout: one(image, (x) => t.dropout(x, { p: 0.4, seed: 3 })),
  dropout2d: one([40, 12, 2, 1], (x) => t.dropout2d(x, { p: 0.4, seed: 3 })),
};

/** The value of a case and the gradients of its inputs. */
async function evaluate(device: t.Device, c: Case): Promise<number[][]> {
  return device.scope(async () => {
    const leaves = c.inputs.map((shape, i) => {
      const order = shape.length === 4 && shape[1] !== 1 ? [0, 2, 3, 1] : shape.map((_, dim) => dim);
      return tensorStoredIn(order, device, Float32Array.from(random(shape, 11 + i).data), shape, true);
    });
    const y = c.run(device, ...leaves);
    y.backward(device.tensor(Float32Array.from(random(y.shape, 5).data), y.shape));
    const values = [Array.from(await y.data())];
    for (const leaf of leaves) values.push(Array.from(await leaf.grad!.data()));
    return values;
  });
}

describe.each([true, false])("grids of rows, subgroups %s,", (subgroups) => {
  let plain: t.Device;
  let rows: t.Device;
  beforeAll(async () => {
    plain = await t.createDevice({ quiet: true, subgroups });
    rows = await t.createDevice({ quiet: true, subgroups, debug: { poison: true } });
    foldGrids(rows);
  });
  afterAll(() => {
    plain?.destroy();
    rows?.destroy();
  });

  const own = Object.entries(cases).filter(([name]) => subgroups || name.startsWith("conv"));
  it.each(own)("compute what grids of one row compute: %s", async (_, c) => {
    expect(await evaluate(rows, c)).toEqual(await evaluate(plain, c));
  });

  it("draw the same numbers, count the same pairs, paint the same pixels and take the same steps", async () => {
    const found = [plain, rows].map((device) =>
      device.scope(async () => {
        const [truth, prediction] = [labels(device, [900], 5), t.flip(labels(device, [900], 5), { dims: [0] })];
        const palette = device.tensor(
          Int32Array.from({ length: 5 }, (_, i) => 0x1020304 * i),
          [5],
          { dtype: "int32" },
        );
        const w = device.rand([900], { seed: 4, requiresGrad: true });
        for (const optimiser of [new t.optim.SGD([w], { lr: 0.1, momentum: 0.9 }), new t.optim.AdamW([w])]) {
          t.sum(t.mul(w, w)).backward();
          optimiser.step();
          optimiser.dispose();
        }
        const tensors = [
          device.randn([900], { seed: 2 }),
          t.confusionMatrix(prediction, truth, { numClasses: 5 }),
          t.paint(truth.reshape([30, 30]), palette),
          device.full([900], 3),
          w,
        ];
        return Promise.all(tensors.map(async (tensor) => Array.from(await tensor.data())));
      }),
    );
    expect(await found[1]).toEqual(await found[0]);
  });
});
