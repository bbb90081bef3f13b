import { models } from "@fcn/core";
import { createDevice, type Device, noGrad, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kindOf } from "../../../../packages/fcn/src/models/graph/kinds/index.js";
import { foldGraph } from "../../../../packages/fcn/src/models/graph/spec.js";
import { stagesOf } from "../../../../packages/fcn/src/models/graph/stages.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const conv: models.Layer = { kind: "conv", outChannels: 4, kernelSize: 3, padding: 1 };

/** The stages of an image of 4 channels and what `add` puts after it, each as the names of its head and last node. */
function stages(add: (builder: models.GraphBuilder, data: string) => Record<string, string>): string[] {
  const builder = new models.GraphBuilder("test");
  const data = builder.add("data", { kind: "input", channels: 4 });
  const outputs = add(builder, data);
  return stagesOf(builder.build(outputs)).map(({ head, name, inputs, isSum }) => {
    const residual = isSum ? ` + ${inputs.at(-1)}` : "";
    return head.name === name ? name : `${head.name}${residual} .. ${name}`;
  });
}

describe("stages", () => {
  it("are a convolution, its batch norm, a sum and an activation", () => {
    const found = stages((b, data) => {
      const norm = b.add("norm", { kind: "batchNorm" }, b.add("conv", conv, data));
      return { out: b.add("relu", { kind: "relu" }, b.add("sum", { kind: "add" }, data, norm)) };
    });
    expect(found).toEqual(["data", "conv + data .. relu"]);
  });

  it("may lack each of them but the head", () => {
    const found = stages((b, data) => {
      const first = b.add("relu", { kind: "relu" }, b.add("conv", conv, data));
      const second = b.add("relu6", { kind: "relu6" }, b.add("norm", { kind: "batchNorm" }, first));
      const third = b.add("sum", { kind: "add" }, b.add("other", conv, second), second);
      const fourth = b.add("relu2", { kind: "relu" }, b.add("pool", { kind: "maxPool", kernelSize: 2 }, third));
      return { out: b.add("score", conv, fourth) };
    });
    expect(found).toEqual(["data", "conv .. relu", "norm .. relu6", "other + relu6 .. sum", "pool", "relu2", "score"]);
  });

  it("of a sum of two results end with the later one", () => {
    const found = stages((b, data) => {
      const left = b.add("norm", { kind: "batchNorm" }, b.add("left", conv, data));
      const right = b.add("norm2", { kind: "batchNorm" }, b.add("right", conv, data));
      return { out: b.add("relu", { kind: "relu" }, b.add("sum", { kind: "add" }, left, right)) };
    });
    expect(found).toEqual(["data", "left .. norm", "right + norm .. relu"]);
  });

  it("are a transposed convolution and the crop of its result", () => {
    const up: models.Layer = { kind: "convTranspose", outChannels: 4, kernelSize: 4, stride: 2 };
    const found = stages((b, data) => {
      const small = b.add("pool", { kind: "maxPool", kernelSize: 2, stride: 2 }, data);
      const whole = b.add("up", up, small);
      const other = b.add(
        "crop2",
        { kind: "crop" },
        data,
        b.add("up2", up, b.add("conv", { ...conv, stride: 4 }, data)),
      );
      return { out: b.add("crop", { kind: "crop" }, whole, data), other };
    });
    expect(found).toEqual(["data", "pool", "conv", "up2", "crop2", "up .. crop"]);
  });

  it("leave out what else is read: by another layer, twice, or as a head", () => {
    const found = stages((b, data) => {
      const twice = b.add("twice", conv, data);
      const sum = b.add("sum", { kind: "add" }, twice, twice);
      const shared = b.add("shared", conv, sum);
      const relu = b.add("relu", { kind: "relu" }, shared);
      const three = b.add("three", { kind: "add" }, b.add("last", conv, relu), shared, relu);
      const head = b.add("head", { kind: "batchNorm" }, three);
      return { out: b.add("out", { kind: "relu" }, head), aux: head };
    });
    expect(found).toEqual(["data", "twice", "sum", "shared", "relu", "last", "three", "head", "out"]);
  });
});

/** A net run node by node. */
function runApart(net: models.GraphNet, x: Tensor): Tensor {
  const modules = new Map(net.namedChildren());
  const { offsets } = models.geometryOf(net.graph)(x.shape[2]!, x.shape[3]!);
  const values = foldGraph(net.graph, x, ({ name, layer }, inputs) =>
    kindOf(layer).run(layer, {
      ...{ x: inputs[0]!, inputs, module: modules.get(name) },
      offset: offsets.get(name) ?? [0, 0],
    }),
  );
  return values.get(net.graph.outputs.out!)!;
}

const bitsOf = async (x: Tensor) => new Uint32Array((await x.data()).buffer);

const NETS = ["fcn8s-vgg16", "fcn16s-resnet18", "fcn32s-mobilenetv2", "d2l-resnet18", "fpn-resnet18", "unet"];

describe.each([...NETS, "fcn16s-mobilenetv3large"])("%s in stages", (name) => {
  const open = () => models.create(name, device, { numClasses: 3, widthMultiplier: 1 / 8, seed: 1 }) as models.GraphNet;

  it("has fewer than nodes", () => {
    const { graph } = open();
    expect(stagesOf(graph).length).toBeLessThan(graph.nodes.length * 0.8);
  });

  it("predicts the bits that its nodes give one by one", async () => {
    await device.scope(async () => {
      const net = open();
      const x = device.rand([2, 3, 64, 64], { seed: 2 });
      net.train();
      noGrad(() => net.forward(x));
      net.eval();
      const apart = noGrad(() => runApart(net, x));
      expect(await bitsOf(noGrad(() => net.forward(x)))).toEqual(await bitsOf(apart));
      expect(await bitsOf(net.forward(x))).toEqual(await bitsOf(apart));
    });
  });

  it("trains with the bits of its nodes: result, gradients and running statistics", async () => {
    const step = (run: (net: models.GraphNet, x: Tensor) => Tensor) =>
      device.scope(async () => {
        const net = open().train();
        const y = run(net, device.rand([2, 3, 64, 64], { seed: 2 }));
        y.backward(device.randn(y.shape, { seed: 3 }));
        const tensors = [y, ...net.parameters().map(({ grad }) => grad!), ...Object.values(net.stateDict())];
        return Promise.all(tensors.map(bitsOf));
      });
    expect(await step((net, x) => net.forward(x))).toEqual(await step(runApart));
  });
});
