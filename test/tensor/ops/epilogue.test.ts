import { planConv2d } from "@fcn/kernels";
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
  devices["small bindings"] = await t.createDevice({ quiet: true, bindingLimit: 2048 });
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

/** Channels in fours and not, in groups, one a group, and with more than one of a weight's parts in a small binding. */
const CONVOLUTIONS = [
  { from: 3, to: 5, kernel: 3, groups: 1 },
  { from: 4, to: 8, kernel: 1, groups: 1 },
  { from: 8, to: 12, kernel: 3, groups: 2 },
  { from: 6, to: 10, kernel: 2, groups: 2 },
  { from: 8, to: 8, kernel: 3, groups: 8 },
  { from: 5, to: 5, kernel: 3, groups: 5 },
  { from: 16, to: 12, kernel: 3, groups: 1 },
] as const;

const convolutions = fc.record({
  convolution: fc.constantFrom(...CONVOLUTIONS),
  size: fc.tuple(int(1, 2), int(3, 8), int(3, 6)),
  stride: int(1, 2),
  hasBias: fc.boolean(),
  norm: fc.constantFrom(...(["none", "bare", "with weight", "with weight and bias"] as const)),
  hasResidual: fc.boolean(),
  activation: fc.constantFrom(...ACTIVATIONS),
  order: orderOf(4),
  seed: int(0, 1e6),
});

describe.each(["subgroups", "no subgroups", "small bindings"])("conv2d on a device with %s", (name) => {
  const compareTo = (recorded: boolean) =>
    assertProperty(convolutions, 14, async (c) => {
      const device = devices[name] as t.Device;
      await device.scope(async () => {
        const { from, to, kernel, groups } = c.convolution;
        const leaf = (dims: readonly number[], k: number, low: number, high: number) =>
          device.tensor(Float32Array.from(random(dims, c.seed + k, low, high).data), dims, { requiresGrad: recorded });
        const [n, h, w] = c.size;
        const x = leaf([n, from, h, w], 1, -2, 2);
        const weight = leaf([to, from / groups, kernel, kernel], 2, -1, 1);
        const bias = c.hasBias ? leaf([to], 3, -2, 2) : undefined;
        const window = { stride: c.stride, padding: 1, groups };
        const plain = () => t.conv2d(x, weight, bias, window);
        const shape = plain().shape;
        const residual = c.hasResidual
          ? device.tensor(Float32Array.from(random(shape, c.seed + 4, LOW, HIGH).data), shape, {
              ...{ order: c.order, requiresGrad: recorded },
            })
          : undefined;
        const norm = c.norm !== "none" && {
          ...(c.norm !== "bare" && { weight: leaf([to], 5, -1, 4) }),
          ...(c.norm === "with weight and bias" && { bias: leaf([to], 6, -2, 5) }),
          runningMean: device.tensor(Float32Array.from(random([to], c.seed + 7, -2, 2).data)),
          runningVar: device.tensor(Float32Array.from(random([to], c.seed + 8, 0.1, 4).data)),
          eps: 1e-3,
        };
        const given = [x, weight, bias, residual, ...(norm ? [norm.weight, norm.bias] : [])];
        const leaves = given.filter((own): own is t.Tensor => own !== undefined);
        const { activation } = c;
        const options = { ...window, residual, activation, norm: norm || undefined };
        const fused = await bitsOf(device, leaves, () => t.conv2d(x, weight, bias, options));
        const normed = () => (norm ? t.batchNorm(plain(), norm) : plain());
        expect(fused).toEqual(await bitsOf(device, leaves, () => followed(normed(), residual, activation)));
        expect(fused).toHaveLength(recorded ? 1 + leaves.length : 1);
      });
    });

  it("has the bits of conv2d, batchNorm, add and the activation", () => compareTo(false));
  it("has these bits where gradients are recorded, and so have its gradients", () => compareTo(true));
});

describe("tiles that the rules do not choose", () => {
  it("end with the same epilogue", async () => {
    const plain = devices.subgroups as t.Device;
    const dims = { x: [1, 8, 9, 7], w: [36, 8, 3, 3] };
    const g = {
      ...{ n: 1, inC: 8, inH: 9, inW: 7, outC: 36, outH: 9, outW: 7, kernelH: 3, kernelW: 3, groups: 1 },
      ...{ strideH: 1, strideW: 1, padH: 1, padW: 1, dilationH: 1, dilationW: 1 },
    };
    const { key, candidates } = planConv2d(g, "forward", false, plain.capabilities)!.tunable!;
    const tiles = [
      candidates.find(({ variant }) => variant === "register"),
      candidates.find(({ variant, TV }) => variant === "subgroup" && TV === 2),
    ].filter((tile) => tile !== undefined);
    expect(tiles).toHaveLength(plain.capabilities.subgroupSize > 0 ? 2 : 1);
    for (const tile of tiles) {
      using device = await t.createDevice({ quiet: true, tuning: { [key]: tile } });
      await device.scope(async () => {
        const values = (shape: number[], k: number) => device.tensor(Float32Array.from(random(shape, k).data), shape);
        const [x, w, residual] = [values(dims.x, 1), values(dims.w, 2), values([1, 36, 9, 7], 3)];
        const norm = { weight: values([36], 4), runningMean: values([36], 5), runningVar: device.ones([36]) };
        const fused = t.conv2d(x, w, null, { padding: 1, norm, residual, activation: "relu" });
        const apart = followed(t.batchNorm(t.conv2d(x, w, null, { padding: 1 }), norm), residual, "relu");
        expect(await fused.data(), JSON.stringify(tile)).toEqual(await apart.data());
      });
    }
  });
});

describe("variants that the rules do not choose", () => {
  // Few tiles of many channels are split, and their slices end with the epilogue; with 3 channels out none is.
  it.each([
    ["workgroup", { n: 1, from: 64, to: 36, size: 5, kernel: 3 }],
    ["workgroup", { n: 2, from: 8, to: 6, size: 9, kernel: 1 }],
    ["winograd", { n: 2, from: 32, to: 36, size: 13, kernel: 3 }],
  ] as const)("end with the same epilogue: %s", async (variant, { n, from, to, size, kernel }) => {
    using device = await t.createDevice({ quiet: true, variants: [variant], debug: { poison: true } });
    await device.scope(async () => {
      const values = (shape: number[], k: number) =>
        device.tensor(Float32Array.from(random(shape, k, -2, 8).data), shape);
      const x = values([n, from, size, size], 1);
      const w = values([to, from, kernel, kernel], 2);
      const [bias, residual] = [values([to], 6), values([n, to, size, size], 3)];
      const norm = { weight: values([to], 4), runningMean: values([to], 5), runningVar: device.ones([to]) };
      const window = { padding: (kernel - 1) / 2 };
      const plain = t.conv2d(x, w, bias, window);
      const fused = t.conv2d(x, w, bias, { ...window, norm, residual, activation: "relu6" });
      expect(await fused.data()).toEqual(await followed(t.batchNorm(plain, norm), residual, "relu6").data());
    });
  });
});

describe("conv2d with what follows it", () => {
  const device = () => devices.subgroups as t.Device;

  it("agrees with float64, and its gradients with differences", () =>
    assertProperty(convolutions, 8, async ({ convolution, size: [n, h, w], hasResidual, activation, seed }) => {
      const { from, to, kernel, groups } = convolution;
      const shape = [n, to, h + 3 - kernel, w + 3 - kernel];
      const g = {
        ...{ n, inC: from, inH: h, inW: w, outC: to, outH: shape[2]!, outW: shape[3]!, groups },
        ...{ kernelH: kernel, kernelW: kernel, strideH: 1, strideW: 1, padH: 1, padW: 1, dilationH: 1, dilationW: 1 },
      };
      const inputs = [random([n, from, h, w], seed), random([to, from / groups, kernel, kernel], seed + 1)];
      await gradCheck(device(), {
        inputs: [...inputs, random([to], seed + 2), ...(hasResidual ? [random(shape, seed + 3, -2, 8)] : [])],
        seed,
        run: (x, weight, bias, residual) => t.conv2d(x, weight!, bias, { padding: 1, groups, residual, activation }),
        reference: (x, weight, bias, residual) =>
          reference.epilogue(
            { shape, data: reference.conv2d(g, x!.data, weight!.data, bias!.data) },
            residual,
            activation,
          ),
      });
    }));

  it("refuses statistics, vectors and residuals that do not fit", () => {
    const x = device().zeros([1, 3, 4, 4]);
    const w = device().zeros([2, 3, 3, 3]);
    const conv = (more: object) => () => t.conv2d(x, w, null, more);
    const statistics = { runningMean: device().zeros([2]), runningVar: device().ones([2]) };
    expect(conv({ norm: { runningMean: device().zeros([2]) } })).toThrow("conv2d: norm: runningVar is missing");
    expect(conv({ norm: { ...statistics, momentum: 0.1 } })).toThrow('conv2d: norm: there is no option "momentum"');
    expect(conv({ norm: { ...statistics, weight: device().ones([3]) } })).toThrow("weight has shape [3], expected [2]");
    expect(conv({ residual: x })).toThrow("conv2d: residual has shape [1, 3, 4, 4], the result [1, 2, 2, 2]");
    expect(conv({ activation: "sigmoid" })).toThrow('activation is "sigmoid"');
    expect(() => t.convTranspose2d(x, device().zeros([3, 2, 3, 3]), null, { activation: "relu" } as object)).toThrow(
      'convTranspose2d: there is no option "activation"',
    );
  });
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
