import { readFileSync } from "node:fs";
import { createDevice, type Device, nn, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const golden = JSON.parse(readFileSync(new URL("../../golden/torch_nn.json", import.meta.url), "utf8")).reprs as Record<
  string,
  string
>;

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const conv = (): nn.Conv2d => new nn.Conv2d(device, 3, 8, { kernelSize: 3, padding: 1, bias: false });
const blockOf = (): nn.Sequential => new nn.Sequential(conv(), new nn.BatchNorm2d(device, 8), new nn.ReLU());

function modules(): Record<string, nn.Module> {
  const block = blockOf();
  return {
    conv: new nn.Conv2d(device, 4, 6, { kernelSize: [3, 5], stride: [2, 1], padding: [0, 2], dilation: 2, groups: 2 }),
    up: new nn.ConvTranspose2d(device, 4, 4, {
      kernelSize: 4,
      stride: 2,
      padding: 1,
      outputPadding: 1,
      groups: 4,
      bias: false,
    }),
    batchNorm: new nn.BatchNorm2d(device, 3, { eps: 1e-3, momentum: 0.01 }),
    groupNorm: new nn.GroupNorm(device, 2, 4),
    layerNorm: new nn.LayerNorm(device, 7),
    layerNorm2: new nn.LayerNorm(device, [4, 5], { elementwiseAffine: false }),
    linear: new nn.Linear(device, 5, 3, { bias: false }),
    dropout: new nn.Dropout({ p: 0.25 }),
    dropout2d: new nn.Dropout2d(),
    leaky: new nn.LeakyReLU({ negativeSlope: 0.2 }),
    sigmoid: new nn.Sigmoid(),
    maxPool: new nn.MaxPool2d({ kernelSize: 3, stride: 2, padding: [1, 0], ceilMode: true }),
    avgPool: new nn.AvgPool2d({ kernelSize: 2 }),
    adaptive: new nn.AdaptiveAvgPool2d({ outputSize: [null, 4] }),
    upsample: new nn.Upsample({ scaleFactor: 2, mode: "bilinear" }),
    resize: new nn.Upsample({ size: [5, 6] }),
    flatten: new nn.Flatten(),
    identity: new nn.Identity(),
    loss: new nn.CrossEntropyLoss(),
    nested: new nn.Sequential(
      block,
      new nn.ModuleList([new nn.Linear(device, 2, 3), new nn.ReLU6()]),
      new nn.ModuleDict({ a: block }),
    ),
    empty: new nn.Sequential(),
    tanh: new nn.Tanh(),
    silu: new nn.SiLU(),
    hardswish: new nn.Hardswish(),
    hardsigmoid: new nn.Hardsigmoid(),
    gelu: new nn.GELU(),
    geluTanh: new nn.GELU({ approximate: "tanh" }),
    softmax: new nn.Softmax({ dim: 1 }),
  };
}

describe("String(module)", () => {
  it("is what PyTorch prints", async () => {
    await device.scope(() => {
      const printed = Object.entries(modules()).map(([name, module]) => [name, String(module)]);
      expect(Object.fromEntries(printed)).toEqual(golden);
    });
  });

  it("refuses a module that holds itself", () => {
    const net = new nn.Sequential();
    net.registerModule("self", net);
    expect(() => String(net)).toThrow("Sequential: the module holds itself");
  });
});

describe("modules in modules", () => {
  it("are listed once each, by their first names, as are parameters and buffers", async () => {
    await device.scope(() => {
      const block = blockOf();
      const [first, norm, relu] = block.children();
      const list = new nn.ModuleList([block]);
      const net = new nn.Sequential(block, list, relu!);
      expect(net.namedModules()).toEqual([
        ["", net],
        ["0", block],
        ["0.0", first],
        ["0.1", norm],
        ["0.2", relu],
        ["1", list],
      ]);
      expect(net.modules()).toEqual([net, block, first, norm, relu, list]);
      expect(net.namedChildren().map(([name]) => name)).toEqual(["0", "1", "2"]);
      expect(net.namedBuffers().map(([name]) => name)).toEqual(["0.1.running_mean", "0.1.running_var"]);
      expect(net.buffers()).toEqual([(norm as nn.BatchNorm2d).runningMean, (norm as nn.BatchNorm2d).runningVar]);
      expect(net.parameters()).toHaveLength(3);
    });
  });

  it("are visited once each by apply, inner ones first", async () => {
    await device.scope(async () => {
      const block = blockOf();
      const net = new nn.Sequential(block, new nn.ModuleList([block]));
      const seen: nn.Module[] = [];
      expect(net.apply((module) => seen.push(module))).toBe(net);
      expect(seen.map((module) => module.constructor.name)).toEqual([
        ...["Conv2d", "BatchNorm2d", "ReLU", "Sequential", "ModuleList", "Sequential"],
      ]);
      net.apply((module) => {
        if (module instanceof nn.Conv2d) nn.init.constant_(module.weight, 0.5);
      });
      const { weight } = block.children()[0] as nn.Conv2d;
      expect(new Set(await weight.data())).toEqual(new Set([0.5]));
    });
  });

  it("freeze and thaw by requiresGrad_", async () => {
    await device.scope(() => {
      const net = blockOf();
      const layer = conv();
      expect(net.requiresGrad_(false)).toBe(net);
      expect(net.parameters().map(({ requiresGrad }) => requiresGrad)).toEqual([false, false, false]);
      expect(layer.weight.requiresGrad).toBe(true);
      expect(net.forward(device.ones([1, 3, 4, 4])).requiresGrad).toBe(false);
      expect(
        net
          .requiresGrad_()
          .parameters()
          .every(({ requiresGrad }) => requiresGrad),
      ).toBe(true);
      expect(net.buffers().some(({ requiresGrad }) => requiresGrad)).toBe(false);
      expect(() => net.requiresGrad_("no" as never)).toThrow(/requiresGrad is "no", expected true or false/);
    });
  });
});

describe("containers", () => {
  it("ModuleList is a list whose members have numbers for names", async () => {
    await device.scope(() => {
      const layers = new nn.ModuleList([new nn.Linear(device, 4, 8), new nn.Linear(device, 8, 2)]);
      let x: Tensor = device.ones([1, 4]);
      for (const layer of layers) x = layer.forward(x);
      expect(x.shape).toEqual([1, 2]);
      expect(Object.keys(layers.stateDict())).toEqual(["0.weight", "0.bias", "1.weight", "1.bias"]);
      expect(layers.append(new nn.Linear(device, 2, 2)).length).toBe(3);
      expect(layers.at(-1)!.weight.shape).toEqual([2, 2]);
      expect(layers.at(3)).toBeUndefined();
      layers.eval();
      expect(layers.at(2)!.training).toBe(false);
      expect(() => layers.forward()).toThrow(/nn.ModuleList: it has no forward pass/);
      expect(() => new nn.ModuleList([3 as never])).toThrow(/nn.ModuleList: module 0 is/);
    });
  });

  it("ModuleDict holds members by name", async () => {
    await device.scope(() => {
      const heads = new nn.ModuleDict<nn.Linear>({ out: new nn.Linear(device, 4, 2) });
      heads.set("aux", new nn.Linear(device, 4, 3, { bias: false }));
      expect(Object.keys(heads.stateDict())).toEqual(["out.weight", "out.bias", "aux.weight"]);
      expect(heads.get("aux")!.forward(device.ones([4])).shape).toEqual([3]);
      expect([heads.has("aux"), heads.has("other"), heads.get("other")]).toEqual([true, false, undefined]);
      expect(heads.keys()).toEqual(["out", "aux"]);
      heads.set("out", new nn.Linear(device, 4, 9));
      expect([...heads].map(([name, { weight }]) => [name, weight.shape])).toEqual([
        ["out", [9, 4]],
        ["aux", [3, 4]],
      ]);
      expect(heads.values().map(({ weight }) => weight)).toEqual(
        heads.parameters().filter(({ shape }) => shape.length === 2),
      );
      expect(() => heads.set("x", null as never)).toThrow(/nn.ModuleDict: module x is null/);
    });
  });
});
