import { createDevice, type Device, mul, nn, relu, sum, type Tensor, TensorError } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: Device;
beforeAll(async () => {
  device = await createDevice();
});
afterAll(() => device?.destroy());

class Block extends nn.Module {
  readonly conv: nn.Conv2d;
  readonly bn: nn.BatchNorm2d;
  constructor(seed: number) {
    super();
    this.conv = new nn.Conv2d(device, 2, 4, { kernelSize: 3, padding: 1, groups: 2, seed });
    this.bn = new nn.BatchNorm2d(device, 4);
  }
  override forward(x: Tensor): Tensor {
    return relu(this.bn.forward(this.conv.forward(x)));
  }
}

class Net extends nn.Module {
  readonly head = new nn.ConvTranspose2d(device, 4, 3, { kernelSize: 2, stride: 2, bias: false, seed: 9 });
  constructor() {
    super();
    this.registerModule("4.0", new Block(1));
    this.registerParameter("scale", device.ones([1]));
  }
  override forward(x: Tensor): Tensor {
    const [[, block]] = this.namedChildren() as [[string, Block]];
    return this.head.forward(block.forward(x));
  }
}

const NAMES = [
  "scale",
  "4.0.conv.weight",
  "4.0.conv.bias",
  "4.0.bn.weight",
  "4.0.bn.bias",
  "4.0.bn.running_mean",
  "4.0.bn.running_var",
  "head.weight",
];

const zeros = (shape: number[]) => {
  return { dtype: "float32" as const, shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) };
};

describe("Module", () => {
  it("names parameters and buffers after properties and registered children", async () => {
    await device.scope(() => {
      const net = new Net();
      expect(Object.keys(net.stateDict())).toEqual(NAMES);
      expect(net.namedParameters().map(([name]) => name)).toEqual(NAMES.filter((name) => !name.includes("running")));
      expect(net.parameters().every((parameter) => parameter.requiresGrad)).toBe(true);
      expect(net.stateDict()["4.0.bn.running_var"]?.requiresGrad).toBe(false);
      const shapes = Object.entries(net.stateDict()).map(([, tensor]) => tensor.shape);
      expect(shapes).toEqual([[1], [4, 1, 3, 3], [4], [4], [4], [4], [4], [4, 3, 2, 2]]);
    });
  });

  it("counts a shared child once among its parameters, and under both names in its state", async () => {
    await device.scope(() => {
      const conv = new nn.Conv2d(device, 1, 1, { kernelSize: 1 });
      const net = new nn.Sequential(conv, new nn.ReLU(), conv);
      expect(net.parameters()).toHaveLength(2);
      expect(Object.keys(net.stateDict())).toEqual(["0.weight", "0.bias", "2.weight", "2.bias"]);
    });
  });

  it("hands train and eval down and frees all it owns", async () => {
    const before = device.memory().liveTensors;
    const net = new Net();
    const block = net.namedChildren()[0]?.[1] as Block;
    expect(block.bn.training).toBe(true);
    expect(net.eval()).toBe(net);
    expect([net.training, block.training, block.bn.training, net.head.training]).toEqual([false, false, false, false]);
    net.train();
    expect(block.bn.training).toBe(true);
    net.dispose();
    expect(device.memory().liveTensors).toBe(before);
  });

  it("refuses to hold itself", () => {
    const net = new nn.Sequential();
    net.registerModule("self", net);
    expect(() => net.parameters()).toThrow("Sequential: the module holds itself");
  });

  it("frees gradients on zeroGrad", async () => {
    await device.scope(() => {
      const conv = new nn.Conv2d(device, 1, 2, { kernelSize: 1 });
      sum(conv.forward(device.ones([1, 1, 2, 2]))).backward();
      expect(conv.weight.grad?.shape).toEqual([2, 1, 1, 1]);
      conv.zeroGrad();
      expect(conv.weight.grad).toBeUndefined();
    });
  });
});

describe("loadStateDict", () => {
  it("copies host arrays and tensors in place, in logical order", async () => {
    await device.scope(async () => {
      const conv = new nn.Conv2d(device, 3, 4, { kernelSize: [2, 3], seed: 1 });
      const { weight } = conv;
      const values = Float32Array.from({ length: 72 }, (_, i) => i);
      const report = conv.loadStateDict({
        weight: { dtype: "float32", shape: [4, 3, 2, 3], data: values },
        bias: device.tensor([1, 2, 3, 4]),
      });
      expect(report).toEqual({ copied: ["weight", "bias"], reshaped: [], skipped: [], missing: [], unexpected: [] });
      expect(conv.weight).toBe(weight);
      expect(weight.requiresGrad).toBe(true);
      expect(await weight.data()).toEqual(values);
      expect(Array.from(await conv.bias!.data())).toEqual([1, 2, 3, 4]);
    });
  });

  it("lands after the work that was asked for before it", async () => {
    await device.scope(async () => {
      const bn = new nn.BatchNorm2d(device, 2).eval();
      const x = device.ones([1, 2, 1, 1]);
      const before = bn.forward(x);
      bn.loadStateDict({ bias: { dtype: "float64", shape: [2], data: [5, -5] } }, { strict: false });
      const [old, fresh] = [await before.data(), await bn.forward(x).data()];
      expect(old[0]).toBeCloseTo(1, 4);
      expect(fresh[0]).toBeCloseTo(6, 4);
      expect(fresh[1]).toBeCloseTo(-4, 4);
    });
  });

  it("ignores PyTorch's batch counter, and takes a whole state from another net", async () => {
    await device.scope(async () => {
      const [a, b] = [new Net(), new Net()];
      const noise = device.randn([4, 3, 2, 2], { seed: 3 });
      a.loadStateDict({ "head.weight": noise }, { strict: false });
      const counter = { dtype: "int64", shape: [], data: BigInt64Array.of(7n) };
      b.loadStateDict({ ...a.stateDict(), "4.0.bn.num_batches_tracked": counter });
      expect(await b.head.weight.data()).toEqual(await noise.data());
    });
  });

  it("takes other shapes of the same elements where it is asked to", async () => {
    await device.scope(async () => {
      const conv = new nn.Conv2d(device, 2, 4, { kernelSize: [1, 3], seed: 1 });
      const { weight } = conv;
      const flat = { dtype: "float32" as const, shape: [4, 6], data: Float32Array.from({ length: 24 }, (_, i) => i) };
      const bias = device.tensor([1, 2, 3, 4], [1, 1, 1, 4], { requiresGrad: true });
      const before = device.memory().liveTensors;
      expect(() => conv.loadStateDict({ weight: flat, bias })).toThrow(
        "of the wrong shape: weight is [4, 6], the module has [4, 2, 1, 3]; bias is [1, 1, 1, 4], the module has [4]",
      );
      expect(conv.loadStateDict({ weight: flat, bias }, { reshape: true })).toEqual({
        copied: [],
        reshaped: ["weight", "bias"],
        skipped: [],
        missing: [],
        unexpected: [],
      });
      expect(conv.weight).toBe(weight);
      expect(await weight.data()).toEqual(flat.data);
      expect(Array.from(await conv.bias!.data())).toEqual([1, 2, 3, 4]);
      expect(device.memory().liveTensors).toBe(before);
      const turned = { ...flat, shape: [6, 4] };
      expect(conv.loadStateDict({ weight: turned }, { reshape: true, strict: false }).skipped).toEqual(["weight"]);
    });
  });

  it.each<[number[], number[], boolean]>([
    [[4096, 25088], [4096, 512, 7, 7], true],
    [[4096, 512, 7, 7], [4096, 25088], true],
    [[1, 1, 1, 21], [21], true],
    [[1], [], true],
    [[1, 12], [3, 4], true],
    [[2, 3, 4], [6, 4], true],
    [[3, 4], [4, 3], false],
    [[2, 12], [4, 6], false],
    [[2, 3, 4], [2, 4, 3], false],
    [[2, 3], [2, 4], false],
  ])("takes %j for %j: %s", async (from, to, fits) => {
    await device.scope(() => {
      class One extends nn.Module {
        override forward(x: Tensor): Tensor {
          return x;
        }
      }
      const one = new One();
      // The shapes of VGG16 are compared at a width that fits a test.
      const narrow = (shape: number[]) => shape.map((size) => (size > 1000 ? size / 512 : size === 512 ? 1 : size));
      one.registerBuffer("x", device.zeros(narrow(to)));
      const report = one.loadStateDict({ x: zeros(narrow(from)) }, { reshape: true, strict: false });
      expect(report[fits ? "reshaped" : "skipped"]).toEqual(["x"]);
    });
  });

  it("bounds its message, and refuses what is no array", async () => {
    await device.scope(() => {
      const bn = new nn.BatchNorm2d(device, 2);
      const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`extra.${i}\u001b`, zeros([1])]));
      let message = "";
      try {
        bn.loadStateDict(many);
      } catch (error) {
        message = (error as TensorError).message;
      }
      expect(message).toMatch(/unexpected: extra\.0\\u001b, .*, extra\.11\\u001b and 488 more$/);
      expect(message.length).toBeLessThan(500);
      const entries: unknown[] = [
        undefined,
        5,
        [1, 2],
        { shape: [2] },
        { dtype: "float32", shape: [2], data: () => null },
      ];
      for (const weight of entries) {
        expect(() => bn.loadStateDict({ weight } as never, { strict: false })).toThrow(
          "loadStateDict: weight is neither a tensor nor a host array",
        );
      }
      const short = { dtype: "float32", shape: [2], data: new Float32Array(1) };
      expect(() => bn.loadStateDict({ weight: short }, { strict: false })).toThrow(
        "loadStateDict: nothing was loaded; weight has 1 values, shape [2] needs 2",
      );
    });
  });

  it("treats num_batches_tracked as optional in both directions", async () => {
    await device.scope(async () => {
      const bn = new nn.BatchNorm2d(device, 2);
      const state = Object.fromEntries(Object.keys(bn.stateDict()).map((name) => [name, zeros([2])]));
      const counter = { dtype: "int64", shape: [], data: BigInt64Array.of(7n) };
      expect(bn.loadStateDict({ ...state, num_batches_tracked: counter }).unexpected).toEqual([]);
      bn.registerBuffer("num_batches_tracked", device.tensor([3], [], { dtype: "int32" }));
      expect(bn.loadStateDict(state).missing).toEqual([]);
      bn.loadStateDict({ ...state, num_batches_tracked: counter });
      expect(await bn.stateDict().num_batches_tracked?.item()).toBe(7);
    });
  });

  it("lists all that does not fit in one error and changes nothing", async () => {
    await device.scope(async () => {
      const bn = new nn.BatchNorm2d(device, 2);
      const dict = { weight: zeros([2]), bias: zeros([3]), extra: zeros([1]) };
      let error: unknown;
      try {
        bn.loadStateDict(dict);
      } catch (caught) {
        error = caught;
      }
      expect(error).toBeInstanceOf(TensorError);
      expect(error).toMatchObject({
        code: "state-dict-mismatch",
        message:
          "loadStateDict: nothing was loaded; missing: running_mean, running_var | unexpected: extra | " +
          "of the wrong shape: bias is [3], the module has [2]",
      });
      expect(Array.from(await bn.weight.data())).toEqual([1, 1]);
      expect(bn.loadStateDict(dict, { strict: false })).toEqual({
        copied: ["weight"],
        reshaped: [],
        skipped: ["bias"],
        missing: ["running_mean", "running_var"],
        unexpected: ["extra"],
      });
      expect(Array.from(await bn.weight.data())).toEqual([0, 0]);
    });
  });
});

describe("Sequential", () => {
  it("frees what lies between its layers, and its gradient is whole", async () => {
    await device.scope(async () => {
      const net = new nn.Sequential(
        new nn.Conv2d(device, 1, 2, { kernelSize: 3, padding: 1, seed: 1 }),
        new nn.ReLU(),
        new nn.Conv2d(device, 2, 1, { kernelSize: 1, seed: 2 }),
        new nn.Sigmoid(),
      );
      const [first, act, second, last] = net.namedChildren().map(([, child]) => child) as nn.Module[];
      const x = device.randn([1, 1, 5, 4], { seed: 5 });
      const upstream = device.randn([1, 1, 5, 4], { seed: 6 });
      const gradients = async (run: (x: Tensor) => Tensor): Promise<number[][]> => {
        net.zeroGrad();
        sum(mul(run(x), upstream)).backward();
        return Promise.all(net.parameters().map(async (p) => Array.from(await p.grad!.data())));
      };
      const apply = (module: nn.Module | undefined, value: Tensor) => module!.forward(value) as Tensor;
      const byHand = (value: Tensor) => apply(last, apply(second, apply(act, apply(first, value))));
      const before = device.memory().liveTensors;
      const out = net.forward(x);
      expect(device.memory().liveTensors - before).toBe(1);
      expect(await out.data()).toEqual(await byHand(x).data());
      const wanted = await gradients(byHand);
      expect(wanted.flat().some((value) => value !== 0)).toBe(true);
      expect(await gradients((value) => net.forward(value))).toEqual(wanted);
    });
  });

  it("returns its input when it is empty or passes it through", async () => {
    await device.scope(() => {
      const x = device.ones([1, 1, 2, 2]);
      expect(new nn.Sequential().forward(x)).toBe(x);
      const y = new nn.Sequential(new nn.Dropout().eval(), new nn.ReLU()).forward(x);
      expect(x.disposed).toBe(false);
      expect(y.disposed).toBe(false);
    });
  });
});
