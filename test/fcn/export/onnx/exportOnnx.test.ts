import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeOnnx, exportOnnx, type ModelMetadata, models, type OnnxOptions } from "@fcn/core";
import { createDevice, type Device, nn } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HostTensor } from "../../../support/golden.js";
import { decodeOnnx, openOnnx, sizesOf, structuralFaults } from "../../../support/onnx.js";
import { expectAgreement, forwardOf, imageFor } from "../../../support/onnx-agreement.js";
import { fillWeights } from "../../../support/random-weights.js";

type Net = models.GraphNet<models.NetOutput>;

let device: Device;
let folder: string;
let net: Net;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
  folder = await mkdtemp(join(tmpdir(), "onnx-"));
  net = models.create<models.NetOutput>("fcn8s-small", device, { numClasses: 4, widthMultiplier: 1 / 4 });
  fillWeights(net, "small");
  net.eval();
});
afterAll(async () => {
  device?.destroy();
  await rm(folder, { recursive: true, force: true });
});

const SIZE = { batch: 2, height: 45, width: 70 };

async function run(options: OnnxOptions): Promise<{ got: HostTensor; logits: HostTensor }> {
  const image = imageFor(net, SIZE);
  const session = await openOnnx(await encodeOnnx(net, options));
  const { out: got } = await session.run(image);
  await session.release();
  const { out: logits } = await forwardOf(net, device, image);
  return { got: got as HostTensor, logits: logits as HostTensor };
}

/** The logits of each pixel. */
function pixels({ data, shape }: HostTensor): number[][] {
  const [n = 0, classes = 0, h = 0, w = 0] = shape;
  const plane = h * w;
  return Array.from({ length: n * plane }, (_, i) => {
    const first = Math.floor(i / plane) * classes * plane + (i % plane);
    return Array.from({ length: classes }, (_, c) => data[first + c * plane] as number);
  });
}

describe("the file", () => {
  it("holds every weight under its own name, bit for bit", async () => {
    const { graph } = decodeOnnx(await encodeOnnx(net));
    const stored = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
    for (const [name, tensor] of Object.entries(net.stateDict())) {
      const found = stored.get(name);
      expect(found?.dims, name).toEqual([...tensor.shape]);
      const bytes = Uint8Array.from(found?.rawData ?? []);
      expect(new Float32Array(bytes.buffer), name).toEqual(await tensor.data());
    }
  });

  it("says what it takes and gives, and by which operators", async () => {
    const summary = await exportOnnx(net, { path: join(folder, "small.onnx"), opset: 15 });
    const model = decodeOnnx(await readFile(join(folder, "small.onnx")));
    expect(model).toMatchObject({
      irVersion: 7,
      producerName: "@fcn/core",
      opsetImport: [{ domain: "", version: 15 }],
    });
    const [input, output] = [model.graph.input, model.graph.output];
    expect(input.map(({ name }) => name)).toEqual(["data"]);
    expect(sizesOf(input[0] as never)).toEqual(["batch", 3, "height", "width"]);
    expect(output.map(({ name }) => name)).toEqual(["out"]);
    expect(sizesOf(output[0] as never)).toEqual(["batch", 4, "height", "width"]);
    expect(summary).toEqual({
      bytes: (await readFile(join(folder, "small.onnx"))).length,
      opset: 15,
      input: { name: "data", dtype: "float32", shape: ["batch", 3, "height", "width"] },
      outputs: [{ name: "out", dtype: "float32", shape: ["batch", 4, "height", "width"] }],
    });
  });

  it("is what encodeOnnx gives", async () => {
    await exportOnnx(net, { path: join(folder, "same.onnx") });
    const written = new Uint8Array(await readFile(join(folder, "same.onnx")));
    expect(written).toEqual(await encodeOnnx(net));
  });

  it("carries what is known about the net", async () => {
    const metadata: Partial<ModelMetadata> = {
      model: "fcn8s-small",
      classes: ["background", "Ω", "cat", "dog"],
      preprocessing: { channelOrder: "bgr", mean: [104, 117, 123], std: [1, 1, 1] },
    };
    const { metadataProps } = decodeOnnx(await encodeOnnx(net, { metadata }));
    expect(Object.fromEntries(metadataProps.map(({ key, value }) => [key, JSON.parse(value)]))).toEqual(metadata);
    expect(decodeOnnx(await encodeOnnx(net)).metadataProps).toEqual([]);
  });

  it("leaves nothing after when it cannot be written", async () => {
    await expect(exportOnnx(net, { path: join(folder, "none", "x.onnx") })).rejects.toMatchObject({
      code: "unwritable-file",
    });
    await expect(exportOnnx(net, { path: join(folder, "x.onnx"), opset: 12 })).rejects.toThrow(/opset is 12/);
    expect(await readdir(folder)).not.toContain("x.onnx");
    expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});

describe("the outputs", () => {
  it("are probabilities with softmax", async () => {
    const { got, logits } = await run({ softmax: true });
    const want = pixels(logits).flatMap((values) => {
      const powers = values.map(Math.exp);
      return powers.map((power) => power / powers.reduce((a, b) => a + b));
    });
    const differences = pixels(got)
      .flat()
      .map((value, i) => Math.abs(value - (want[i] as number)));
    expect(Math.max(...differences)).toBeLessThan(1e-5);
  });

  it("are the classes of the pixels with argmax", async () => {
    const { got, logits } = await run({ argmax: true });
    expect(got).toMatchObject({ dtype: "int32", shape: [2, 45, 70] });
    expect(new Set(got.data).size).toBe(4);
    // Where two classes are as good as equal either may win.
    const lost = pixels(logits).map((values, i) => Math.max(...values) - (values[got.data[i] as number] as number));
    expect(Math.max(...lost)).toBeLessThan(1e-4);
    const { graph } = decodeOnnx(await encodeOnnx(net, { argmax: true }));
    expect(sizesOf(graph.output[0] as never)).toEqual(["batch", "height", "width"]);
  });

  it("keep sizes that are given", async () => {
    const bytes = await expectAgreement(net, device, [SIZE], { shape: [2, 45, 70] });
    const { graph } = decodeOnnx(bytes);
    expect(sizesOf(graph.input[0] as never)).toEqual([2, 3, 45, 70]);
    expect(sizesOf(graph.output[0] as never)).toEqual([2, 4, 45, 70]);
  });

  it("may be features, the image itself, or one node twice", async () => {
    const builder = new models.GraphBuilder("odd names");
    const data = builder.add("data", { kind: "input", channels: 2 });
    const conv = builder.add("out", { kind: "conv", outChannels: 3, kernelSize: 2, stride: 2 }, data);
    const relu = builder.add("out.weight", { kind: "relu" }, conv);
    const dropped = builder.add("drop", { kind: "dropout", p: 0.5 }, relu);
    const heads = { out: relu, data, again: relu, dropped, constant_0: builder.add("six", { kind: "relu6" }, relu) };
    const odd: Net = new models.GraphNet(device, builder.build(heads), 0);
    const model = decodeOnnx(await expectAgreement(odd, device, [SIZE]));
    expect(structuralFaults(model)).toEqual([]);
    expect(sizesOf(model.graph.output[0] as never)).toEqual(["batch", 3, "out_height", "out_width"]);
    expect(sizesOf(model.graph.output[1] as never)).toEqual(["batch", 2, "height", "width"]);
  });

  it("are those of evaluation, whatever the mode of the net", async () => {
    const evaluated = await encodeOnnx(net);
    net.train();
    expect(await encodeOnnx(net)).toEqual(evaluated);
    net.eval();
  });
});

describe("refusals", () => {
  const refusals: [string, OnnxOptions, RegExp][] = [
    ["an old opset", { opset: 12 }, /opset is 12, expected a whole number from 13 to/],
    ["a broken opset", { opset: 13.5 }, /opset is 13.5/],
    ["two kinds of output", { argmax: true, softmax: true }, /argmax and softmax were both given/],
    ["a shape of two numbers", { shape: [4, 4] as never }, /shape is \[4,4\]/],
    ["an empty shape", { shape: [1, 0, 4] }, /shape is \[1,0,4\]/],
  ];
  it.each(refusals)("%s", async (_, options, message) => {
    await expect(encodeOnnx(net, options)).rejects.toThrow(message);
  });

  const one = (layer: models.Layer): Net => {
    const builder = new models.GraphBuilder("one");
    const data = builder.add("data", { kind: "input", channels: 4 });
    return new models.GraphNet(device, builder.build({ out: builder.add("layer", layer, data) }), 0);
  };
  const same = { kind: "maxPool", padding: "same" } as const;
  const layers: [string, models.Layer, RegExp][] = [
    ["LRN over an even number of channels", { kind: "lrn", size: 4, alpha: 1, beta: 1 }, /lrn layer has a window of 4/],
    ["same padding with stride and dilation", { ...same, kernelSize: 3, stride: 2, dilation: 2 }, /dilation 2,2/],
    ["same padding with gaps between windows", { ...same, kernelSize: 2, stride: 3 }, /stride 3,3/],
  ];
  it.each(layers)("%s", async (_, layer, message) => {
    await expect(encodeOnnx(one(layer))).rejects.toThrow(message);
  });

  it("a module that is no graph", async () => {
    await expect(encodeOnnx(new nn.ReLU() as never)).rejects.toThrow(/its layers are not known/);
  });

  it("images that are too small for a fixed shape", async () => {
    const bare = one({ kind: "conv", outChannels: 1, kernelSize: 9 });
    await expect(encodeOnnx(bare, { shape: [1, 8, 20] })).rejects.toThrow(/conv layer, image 8x20/);
  });

  it("a model of 2 GiB before any weight is read", async () => {
    const small = one({ kind: "conv", outChannels: 2, kernelSize: 1 });
    const data = () => Promise.reject(new Error("a weight was read"));
    const weight = { shape: [2 ** 15, 2 ** 14], size: 2 ** 29, data };
    const huge = Object.assign(Object.create(small) as Net, {
      stateDict: () => ({ "layer.weight": weight, "layer.bias": { shape: [2], size: 2, data } }),
    });
    await expect(exportOnnx(huge, { path: join(folder, "huge.onnx") })).rejects.toMatchObject({ code: "unsupported" });
    expect(await readdir(folder)).not.toContain("huge.onnx");
  });

  it("crops whose place can be a fraction of a pixel", async () => {
    const builder = new models.GraphBuilder("fraction");
    const data = builder.add("data", { kind: "input", channels: 1 });
    const fine = builder.add("fine", { kind: "maxPool", kernelSize: 1, stride: 2 }, data);
    const coarse = builder.add("coarse", { kind: "maxPool", kernelSize: 3, stride: 2, padding: "same" }, data);
    const crop = builder.add("crop", { kind: "crop" }, coarse, fine);
    const skewed: Net = new models.GraphNet(device, builder.build({ out: crop }), 0);
    await expect(encodeOnnx(skewed)).rejects.toThrow(/crop crop lies at .* for some sizes of the image/);
  });
});

describe("the check of a model's form", () => {
  it("finds what is wrong", async () => {
    const model = decodeOnnx(await encodeOnnx(net));
    const { graph } = model;
    const [first, ...rest] = graph.node;
    const faults = (part: Partial<typeof graph>) => structuralFaults({ ...model, graph: { ...graph, ...part } });
    expect(faults({ node: [...rest, first as never] }).join()).toMatch(
      /takes conv1_1, which nothing before it defines/,
    );
    expect(faults({ node: [first as never, ...graph.node] }).join()).toMatch(/two nodes are called "conv1_1"/);
    expect(faults({ initializer: graph.initializer.slice(1) }).join()).toMatch(/takes conv1_1.weight, which nothing/);
    expect(faults({ output: [] }).join()).toMatch(/nothing uses out/);
  });
});
