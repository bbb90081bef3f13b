import { createDevice, type Device, mul, optim, sum, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const START = [1, -2, 0.5];
const GRADIENTS = [
  [0.5, -1, 2],
  [-0.25, 0.75, 1],
  [1, 0.5, -3],
];

/** The parameter after each step of an optimiser with these gradients. */
async function walk(make: (w: Tensor) => optim.SGD | optim.AdamW): Promise<number[][]> {
  return device.scope(async () => {
    const w = device.tensor(START, [3], { requiresGrad: true });
    const optimiser = make(w);
    const found: number[][] = [];
    for (const gradient of GRADIENTS) {
      optimiser.zeroGrad();
      sum(mul(w, device.tensor(gradient))).backward();
      optimiser.step();
      found.push(Array.from(await w.data()));
    }
    optimiser.dispose();
    return found;
  });
}

function expectClose(found: readonly number[][], wanted: readonly number[][]): void {
  expect(found).toEqual(wanted.map((step) => step.map((value) => expect.closeTo(value, 5))));
}

/** The rule of torch.optim.SGD in float64. */
function sgd({
  lr = 1e-3,
  momentum = 0,
  dampening = 0,
  weightDecay = 0,
  nesterov = false,
}: optim.SGDOptions): number[][] {
  const w = [...START];
  const m: number[] = [];
  return GRADIENTS.map((gradient) => {
    gradient.forEach((g, i) => {
      const d = g + weightDecay * w[i]!;
      m[i] = m[i] === undefined ? d : momentum * m[i]! + (1 - dampening) * d;
      w[i]! -= lr * (momentum === 0 ? d : nesterov ? d + momentum * m[i]! : m[i]!);
    });
    return [...w];
  });
}

/** The rule of torch.optim.AdamW in float64. */
function adamw({ lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0.01 }: optim.AdamWOptions): number[][] {
  const [w, m, v] = [[...START], [0, 0, 0], [0, 0, 0]];
  return GRADIENTS.map((gradient, step) => {
    gradient.forEach((g, i) => {
      w[i]! *= 1 - lr * weightDecay;
      m[i] = betas[0] * m[i]! + (1 - betas[0]) * g;
      v[i] = betas[1] * v[i]! + (1 - betas[1]) * g * g;
      const [first, second] = [m[i]! / (1 - betas[0] ** (step + 1)), v[i]! / (1 - betas[1] ** (step + 1))];
      w[i]! -= (lr * first) / (Math.sqrt(second) + eps);
    });
    return [...w];
  });
}

describe("SGD", () => {
  it.each<[string, optim.SGDOptions]>([
    ["its defaults", {}],
    ["a rate", { lr: 0.1 }],
    ["momentum", { lr: 0.1, momentum: 0.9 }],
    ["momentum and dampening", { lr: 0.1, momentum: 0.9, dampening: 0.25 }],
    ["weight decay", { lr: 0.1, weightDecay: 0.5 }],
    ["momentum of Nesterov and weight decay", { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.5 }],
  ])("follows its rule with %s", async (_, options) =>
    expectClose(await walk((w) => new optim.SGD([w], options)), sgd(options)),
  );
});

describe("AdamW", () => {
  it.each<[string, optim.AdamWOptions]>([
    ["its defaults", {}],
    ["a rate", { lr: 0.1 }],
    ["betas of its own", { lr: 0.1, betas: [0.5, 0.75] }],
    ["a large eps", { lr: 0.1, eps: 0.5 }],
    ["weight decay", { lr: 0.1, weightDecay: 0.5 }],
  ])("follows its rule with %s", async (_, options) =>
    expectClose(await walk((w) => new optim.AdamW([w], options)), adamw(options)),
  );
});

describe("groups", () => {
  it("have settings of their own; those that are left out or undefined are the optimiser's", () => {
    device.scope(() => {
      const params = [device.tensor([1], [1], { requiresGrad: true })];
      const other = [device.tensor([1], [1], { requiresGrad: true })];
      const given = { params: other, lr: 2, momentum: undefined } as unknown as optim.ParameterGroup<optim.SGDOptions>;
      const { groups } = new optim.SGD([{ params }, given], { lr: 1, momentum: 0.5 });
      expect(groups).toMatchObject([
        { lr: 1, momentum: 0.5, dampening: 0, weightDecay: 0, nesterov: false },
        { lr: 2, momentum: 0.5 },
      ]);
      expect(new optim.AdamW(params).groups).toMatchObject([
        { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01 },
      ]);
    });
  });

  const parameter = (data = [1]): Tensor => device.tensor(data, [data.length], { requiresGrad: true });
  it.each<[string, () => unknown, RegExp]>([
    ["lr", () => new optim.SGD([parameter()], { lr: Number.POSITIVE_INFINITY }), /^SGD: lr is Infinity/],
    ["momentum", () => new optim.SGD([parameter()], { momentum: -0.1 }), /^SGD: momentum is -0.1/],
    ["weightDecay", () => new optim.SGD([parameter()], { weightDecay: -1 }), /^SGD: weightDecay is -1/],
    ["nesterov", () => new optim.SGD([parameter()], { momentum: 0.5, dampening: 0.1, nesterov: true }), /nesterov/],
    ["an unknown name", () => new optim.SGD([parameter()], { rate: 1 } as object), /SGD.*rate/],
    ["a group's name", () => new optim.SGD([{ params: [parameter()], rate: 1 } as never]), /SGD.*rate/],
    ["a group's value", () => new optim.SGD([{ params: [parameter()], lr: -1 }]), /lr is -1/],
    ["AdamW's lr", () => new optim.AdamW([parameter()], { lr: -1 }), /^AdamW: lr is -1/],
    [
      "betas[0]",
      () => new optim.AdamW([parameter()], { betas: [1, 0.5] }),
      /^AdamW: betas is \[1,0.5\], .*from 0 to below 1/,
    ],
    ["betas[1]", () => new optim.AdamW([parameter()], { betas: [0.5, -0.1] }), /^AdamW: betas is \[0.5,-0.1\]/],
    ["eps", () => new optim.AdamW([parameter()], { eps: -1 }), /^AdamW: eps is -1/],
    ["AdamW's weightDecay", () => new optim.AdamW([parameter()], { weightDecay: -1 }), /^AdamW: weightDecay is -1/],
    ["AdamW's unknown name", () => new optim.AdamW([parameter()], { beta: 1 } as object), /AdamW.*beta/],
    ["no list", () => new optim.SGD(parameter() as never), /SGD: params is/],
    ["an integer", () => new optim.SGD([device.tensor([1], [1], { dtype: "int32" })]), /parameter 0 is int32/],
    [
      "a result",
      () => new optim.SGD([parameter(), sum(parameter([1, 2]))]),
      /parameter 1 of shape \[\] is a result of sum/,
    ],
  ])("are refused: %s", async (_, make, message) => {
    await device.scope(() => {
      expect(make).toThrow(message);
      expect(make).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    });
  });

  it("are checked again at each step, as settings may change", async () => {
    await device.scope(() => {
      const optimiser = new optim.SGD([parameter()]);
      optimiser.lr = -1;
      expect(() => optimiser.step()).toThrow(/lr is -1/);
    });
  });
});

describe("the state of an optimiser", () => {
  const step = (w: Tensor, optimiser: optim.SGD | optim.AdamW): void => {
    optimiser.zeroGrad();
    sum(mul(w, w)).backward();
    optimiser.step();
  };

  it("is its buffers and steps by the parameter's place", async () => {
    await device.scope(async () => {
      const [idle, w] = [
        device.tensor([1], [1], { requiresGrad: true }),
        device.tensor(START, [3], { requiresGrad: true }),
      ];
      const optimiser = new optim.AdamW([idle, w]);
      expect(optimiser.stateDict()).toEqual({});
      step(w, optimiser);
      step(w, optimiser);
      const state = optimiser.stateDict();
      expect(Object.keys(state).sort()).toEqual(["1.expAvg", "1.expAvgSq", "1.step"]);
      expect(state["1.step"]).toEqual({ dtype: "int32", shape: [], data: Int32Array.of(2) });
      const plain = new optim.SGD([w]);
      step(w, plain);
      expect(Object.keys(plain.stateDict())).toEqual(["0.step"]);
    });
  });

  it.each<[string, (state: Record<string, unknown>) => void, RegExp]>([
    ["a missing buffer", (state) => void delete state["0.momentum"], /0\.momentum is missing/],
    ["what is unexpected", (state) => void Object.assign(state, { "3.step": 1 }), /3\.step is unexpected/],
    ["half a step", (state) => void Object.assign(state, { "0.step": { shape: [], data: [0.5] } }), /0\.step is not/],
    ["fewer steps than none", (state) => void Object.assign(state, { "0.step": { shape: [], data: [-1] } }), /0\.step/],
  ])("is refused with %s", async (_, spoil, message) => {
    await device.scope(() => {
      const w = device.tensor(START, [3], { requiresGrad: true });
      const optimiser = new optim.SGD([w], { momentum: 0.5 });
      step(w, optimiser);
      const state = { ...optimiser.stateDict() };
      spoil(state);
      const load = () => new optim.SGD([w], { momentum: 0.5 }).loadStateDict(state);
      expect(load).toThrow(message);
      expect(load).toThrow(expect.objectContaining({ code: "state-dict-mismatch" }));
    });
  });

  it("is freed with the optimiser", async () => {
    await device.scope(async () => {
      const w = device.tensor(START, [3], { requiresGrad: true });
      const { liveBytes } = device.memory();
      {
        using optimiser = new optim.AdamW([w]);
        await device.scope(() => step(w, optimiser));
        optimiser.zeroGrad();
        expect(device.memory().liveBytes).toBeGreaterThan(liveBytes);
      }
      expect(device.memory().liveBytes).toBe(liveBytes);
    });
  });

  it("is taken from host arrays, of other numbers too; a parameter without entries begins anew", async () => {
    await device.scope(async () => {
      const [a, b] = [START, START].map((data) => device.tensor(data, [3], { requiresGrad: true })) as [Tensor, Tensor];
      const optimiser = new optim.SGD([a, b], { lr: 1, momentum: 0.5 });
      const zero = { dtype: "int32", shape: [], data: Int32Array.of(0) } as const;
      optimiser.loadStateDict({
        "1.step": zero,
        "1.momentum": { dtype: "float64", shape: [3], data: Float64Array.of(2, 4, 6) } as never,
      });
      for (const w of [a, b]) sum(w).backward();
      optimiser.step();
      expect(Array.from(await a.data())).toEqual([0, -3, -0.5]);
      expect(Array.from(await b.data())).toEqual([-1, -5, -3.5]);
    });
  });
});

describe("clipGradNorm", () => {
  it("scales all gradients to the norm, and gives the norm before", async () => {
    await device.scope(async () => {
      const [a, b, idle] = [[1], [1, 1], [1]].map((data) =>
        device.tensor(data, [data.length], { requiresGrad: true }),
      ) as [Tensor, Tensor, Tensor];
      const give = () => {
        for (const w of [a, b]) w.zeroGrad();
        sum(mul(a, 2)).backward();
        sum(mul(b, device.tensor([3, 6]))).backward();
      };
      give();
      expect(await optim.clipGradNorm([a, b, idle], 3.5).item()).toBeCloseTo(7, 5);
      expect(await a.grad!.item()).toBeCloseTo(1, 5);
      expect(Array.from(await b.grad!.data())).toEqual([expect.closeTo(1.5, 5), expect.closeTo(3, 5)]);
      give();
      expect(await optim.clipGradNorm([a, b], 100).item()).toBeCloseTo(7, 5);
      expect(Array.from(await b.grad!.data())).toEqual([3, 6]);
      expect(() => optim.clipGradNorm([idle], 1)).toThrow(/^clipGradNorm: no parameter has a gradient/);
      expect(() => optim.clipGradNorm(a as never, 1)).toThrow(/clipGradNorm: parameters is/);
      expect(() => optim.clipGradNorm([a], -1)).toThrow(/^clipGradNorm: maxNorm is -1/);
      expect(() => optim.clipGradNorm([a], Number.NaN)).toThrow(/maxNorm is NaN/);
    });
  });

  it("of gradients that are zero leaves zeros, and leaves nothing on the device but the norm", async () => {
    await device.scope(async () => {
      const [a, b, c] = [[1], [2], [3]].map((data) => device.tensor(data, [1], { requiresGrad: true })) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      for (const w of [a, b, c]) sum(mul(w, 0)).backward();
      const { liveTensors } = device.memory();
      const norm = optim.clipGradNorm([a, b, c], 1);
      expect(device.memory().liveTensors).toBe(liveTensors + 1);
      expect(await norm.item()).toBe(0);
      expect(await b.grad!.item()).toBe(0);
      expect(norm.requiresGrad).toBe(false);
    });
  });
});
