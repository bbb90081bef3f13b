import * as reference from "@fcn/kernels/reference";
import * as t from "@fcn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gradCheck } from "../../support/gradcheck.js";
import { random } from "../../support/nd.js";
import { orderOf } from "../../support/orders.js";
import { assertProperty } from "../../support/property.js";

const devices: Record<string, t.Device> = {};
beforeAll(async () => {
  devices.subgroups = await t.createDevice({ quiet: true, debug: { poison: true } });
  devices["no subgroups"] = await t.createDevice({ quiet: true, subgroups: false, debug: { poison: true } });
  devices["small bindings"] = await t.createDevice({ quiet: true, bindingLimit: 1024 });
});
afterAll(() => {
  for (const device of Object.values(devices)) device.destroy();
});

const ACTIVATIONS = [undefined, "relu", "relu6"] as const;
type Activation = (typeof ACTIVATIONS)[number];
const int = (min: number, max: number) => fc.integer({ min, max });
/** Values on both sides of 0 and of 6. */
const [LOW, HIGH] = [-8, 16];

/** What an epilogue stands for, as ops of their own. */
function followed(y: t.Tensor, residual: t.Tensor | undefined, activation: Activation): t.Tensor {
  const sum = residual ? t.add(y, residual) : y;
  return activation === "relu" ? t.relu(sum) : activation === "relu6" ? t.relu6(sum) : sum;
}

/** The bits of y and of all gradients, for an upstream gradient of random numbers. */
async function bitsOf(device: t.Device, leaves: readonly t.Tensor[], run: () => t.Tensor): Promise<Uint32Array[]> {
  const y = run();
  if (y.requiresGrad) y.backward(device.tensor(Float32Array.from(random(y.shape, 99).data), y.shape));
  const tensors = [y, ...leaves.flatMap(({ grad }) => grad ?? [])];
  const bits = await Promise.all(tensors.map(async (own) => new Uint32Array((await own.data()).buffer)));
  for (const leaf of leaves) leaf.zeroGrad();
  return bits;
}

const norms = fc.record({
  shape: fc.tuple(int(1, 2), fc.constantFrom(1, 3, 4, 6, 8), int(2, 9), int(1, 7)),
  order: orderOf(4),
  training: fc.boolean(),
  hasResidual: fc.boolean(),
  activation: fc.constantFrom(...ACTIVATIONS),
  /** Whether x, weight, bias and the residual need gradients. */
  needs: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean()),
  seed: int(0, 1e6),
});

describe.each(["subgroups", "no subgroups", "small bindings"])("batchNorm on a device with %s", (name) => {
  it("has the bits of batchNorm, add and the activation, and so have its gradients", () =>
    assertProperty(norms, 60, async ({ shape, order, training, hasResidual, activation, needs, seed }) => {
      const device = devices[name] as t.Device;
      await device.scope(async () => {
        const c = shape[1];
        const leaf = (dims: readonly number[], k: number, requiresGrad: boolean, low = LOW, high = HIGH) =>
          device.tensor(Float32Array.from(random(dims, seed + k, low, high).data), dims, {
            requiresGrad,
            ...(dims.length === 4 && { order }),
          });
        const x = leaf(shape, 1, needs[0]);
        const weight = leaf([c], 2, needs[1], 1, 4);
        const bias = leaf([c], 3, needs[2], -2, 5);
        const residual = hasResidual ? leaf(shape, 4, needs[3]) : undefined;
        const leaves = [x, weight, bias, ...(residual ? [residual] : [])];
        const norm = (more: object) =>
          t.batchNorm(x, {
            ...{ weight, bias, training, ...more },
            ...{ runningMean: device.full([c], 2), runningVar: device.full([c], 9) },
          });
        const fused = await bitsOf(device, leaves, () => norm({ residual, activation }));
        const apart = await bitsOf(device, leaves, () => followed(norm({}), residual, activation));
        expect(fused).toEqual(apart);
        expect(fused).toHaveLength(1 + leaves.filter(({ requiresGrad }) => requiresGrad).length);
      });
    }));
});

describe("batchNorm with what follows it", () => {
  it("agrees with float64, and its gradients with differences", () =>
    assertProperty(norms, 20, async ({ shape, order, hasResidual, activation, seed }) => {
      const vector = (k: number) => random([shape[1]], seed + k, 0.5, 3);
      const x = random(shape, seed, -3, 3);
      await gradCheck(devices.subgroups as t.Device, {
        inputs: [x, vector(1), vector(2), ...(hasResidual ? [random(shape, seed + 3, LOW, HIGH)] : [])],
        orders: [order],
        seed,
        tolerance: 2e-4,
        run: (x, weight, bias, residual) =>
          t.batchNorm(x!, { weight, bias, training: true, eps: 1e-2, residual, activation }),
        reference: (x, weight, bias, residual) =>
          reference.epilogue(reference.batchNorm(x!, weight!, bias!, 1e-2), residual, activation),
      });
    }));

  it("keeps NaN, and lets its gradient through", async () => {
    const device = await t.createDevice({ quiet: true });
    for (const activation of ["relu", "relu6"] as const) {
      const x = device.tensor([Number.NaN, -1, 1, 20], [1, 4, 1, 1], { requiresGrad: true });
      const residual = device.zeros([1, 4, 1, 1], { requiresGrad: true });
      const statistics = { runningMean: device.zeros([4]), runningVar: device.ones([4]), eps: 0 };
      const y = t.batchNorm(x, { ...statistics, residual, activation });
      const most = activation === "relu" ? 20 : 6;
      expect(Array.from(await y.data())).toEqual([Number.NaN, 0, 1, most]);
      y.backward(device.ones(y.shape));
      const expected = [1, 0, 1, activation === "relu" ? 1 : 0];
      expect(Array.from(await x.grad!.data())).toEqual(expected);
      expect(Array.from(await residual.grad!.data())).toEqual(expected);
    }
    device.destroy();
  });

  it("refuses a residual of another shape or type, and activations that it does not have", () => {
    const device = devices.subgroups as t.Device;
    const x = device.zeros([2, 3, 4, 4]);
    const norm = (more: object) => () => t.batchNorm(x, { training: true, ...more });
    const shape = "batchNorm: residual has shape [3, 1, 1], the result [2, 3, 4, 4]";
    expect(norm({ residual: device.zeros([3, 1, 1]) })).toThrow(shape);
    expect(norm({ residual: device.zeros([2, 3, 4, 4], { dtype: "int32" }) })).toThrow("expected float32");
    expect(norm({ activation: "tanh" })).toThrow('activation is "tanh", expected "relu" or "relu6"');
  });
});
