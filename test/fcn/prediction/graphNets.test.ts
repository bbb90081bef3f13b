import * as fcn from "@fcn/core";
import { createDevice, type Device, nn, noGrad, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeImage, RAW } from "./nets.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

type Builder = fcn.models.GraphBuilder;
const { GraphBuilder, GraphNet } = fcn.models;
const { RESNETS, resNetBackbone, torchvisionNames } = fcn.models.backbones;

/**
 * ResNet-18 of the given width without its last two layers, a 1x1 convolution and one transposed convolution, as in
 * chapter 14.11 of d2l.ai.
 */
function chapterGraph(numClasses = 21, width = 2): fcn.models.Graph {
  const builder = new GraphBuilder("d2l-fcn");
  const image = builder.add("data", { kind: "input", channels: 3 });
  const names = torchvisionNames("");
  const { top } = resNetBackbone(builder, image, { ...RESNETS.resnet18, width, names });
  const score = builder.add(
    "final_conv",
    { kind: "conv", outChannels: numClasses, kernelSize: 1, init: "xavier" },
    top,
  );
  const window = { kernelSize: 64, stride: 32, padding: 16 };
  const up = { kind: "convTranspose", outChannels: numClasses, ...window, bias: true, learned: true } as const;
  return builder.build({ out: builder.add("transpose_conv", up, score) });
}

/** The planes of an image, with zeros below and on the right. */
function planes(image: ReturnType<typeof makeImage>, height: number, width: number): Float32Array {
  const out = new Float32Array(3 * height * width);
  for (let i = 0; i < image.data.length; i++) {
    const [c, x, y] = [i % 3, Math.floor(i / 3) % image.width, Math.floor(i / 3 / image.width)];
    out[(c * height + y) * width + x] = image.data[i]!;
  }
  return out;
}

/** The largest of the logits [C, H, W] at each pixel of the upper left part. */
function classesOf(
  logits: Float32Array,
  [classes, height, width]: number[],
  part: readonly [number, number],
): number[] {
  return Array.from({ length: part[0] * part[1] }, (_, i) => {
    const at = Math.floor(i / part[1]) * width! + (i % part[1]);
    const values = Array.from({ length: classes! }, (_, c) => logits[c * height! * width! + at]!);
    return values.indexOf(Math.max(...values));
  });
}

async function labelsByHand(net: nn.Module, image: ReturnType<typeof makeImage>, plane: readonly [number, number]) {
  const x = device.tensor(planes(image, ...plane), [1, 3, ...plane]);
  const logits = noGrad(() => net.forward(x)) as Tensor;
  const [, ...shape] = logits.shape;
  return { shape, values: (await logits.data()) as Float32Array };
}

describe("predict with the net of the d2l chapter, built as a graph", () => {
  it("scores every pixel of images of any size, as the net does on the image filled up", async () => {
    using net = new GraphNet(device, chapterGraph(), 3);
    net.eval();
    for (const [height, width] of [
      [96, 64],
      [75, 100],
      [1, 33],
    ] as const) {
      const image = makeImage(height, width, height);
      const filled = [Math.ceil(height / 32) * 32, Math.ceil(width / 32) * 32] as const;
      const { shape, values } = await labelsByHand(net, image, filled);
      expect(shape).toEqual([21, ...filled]);
      const wanted = classesOf(values, shape, [height, width]);
      const options = { preprocessing: RAW };
      expect(Array.from((await fcn.predict(net, image, options)).labels)).toEqual(wanted);
      expect(Array.from((await fcn.predict(net, image, { ...options, stride: 32 })).labels)).toEqual(wanted);
    }
  });

  it("works in tiles, in views, and is evaluated and trained at sizes that are no multiples of its stride", async () => {
    using net = new GraphNet(device, chapterGraph(3), 3);
    const image = makeImage(75, 100);
    const whole = await fcn.predict(net, image, { preprocessing: RAW });
    const tiled = await fcn.predict(net, image, {
      preprocessing: RAW,
      tile: [64, 64],
      overlap: 32,
      probabilities: true,
    });
    expect([whole.tiles, tiled.tiles]).toEqual([1, 2 * 3]);
    expect(tiled.probabilities?.shape).toEqual([3, 75, 100]);
    const views = await fcn.predict(net, image, { preprocessing: RAW, scales: [0.5, 1.25], mirror: true });
    expect(views.labels).toHaveLength(75 * 100);
    await expect(fcn.predict(net, image, { preprocessing: RAW, tile: 48 })).rejects.toThrow(/the net's stride 32/);
    const sample = { name: "a", image, labels: whole.labels };
    const scores = await fcn.evaluate(net, [sample], { preprocessing: RAW, numClasses: 3 });
    expect(scores.pixelAccuracy).toBe(1);
    const before = await net.forward(device.tensor(planes(image, 96, 128), [1, 3, 96, 128])).data();
    const odd = { ...sample, labels: Uint8Array.from(whole.labels, (_, i) => (i % 100 < 40 ? 1 : 2)) };
    const settings = { preprocessing: RAW, numClasses: 3, steps: 3, learningRate: 1e-4, readEvery: 1, mirror: false };
    const result = await fcn.train({ model: net, data: [odd], ...settings });
    expect(result.losses[2]!.loss).toBeLessThan(result.losses[0]!.loss);
    expect(await net.forward(device.tensor(planes(image, 96, 128), [1, 3, 96, 128])).data()).not.toEqual(before);
  });

  it("trains on crops of 32 as the net with a cut at the upper left does, bit for bit", async () => {
    const own = chapterGraph(3);
    const cut: fcn.models.Graph = {
      ...own,
      nodes: [
        ...own.nodes,
        { name: "score", layer: { kind: "crop", align: "topLeft" }, inputs: ["transpose_conv", "data"] },
      ],
      outputs: { out: "score" },
    };
    const trained = async (graph: fcn.models.Graph): Promise<Float32Array[]> => {
      using net = new GraphNet(device, graph, 3);
      const image = makeImage(64, 96);
      const labels = Uint8Array.from({ length: 64 * 96 }, (_, i) => (i % 96 < 40 ? 1 : 2));
      const data = [{ name: "a", image, labels }];
      await fcn.train({ model: net, data, preprocessing: RAW, numClasses: 3, steps: 2, learningRate: 0.01 });
      return Promise.all(net.parameters().map(async (tensor) => (await tensor.data()) as Float32Array));
    };
    expect(await trained(own)).toEqual(await trained(cut));
  });
});

/** A convolution of stride 2, scores, and what the rest of the net is. */
function smallGraph(rest: (builder: Builder, score: string, image: string) => Record<string, string>, padding = 1) {
  const builder = new GraphBuilder("small");
  const image = builder.add("data", { kind: "input", channels: 3 });
  const first = builder.add("conv1", { kind: "conv", outChannels: 4, kernelSize: 3, stride: 2, padding }, image);
  const score = builder.add("score", { kind: "conv", outChannels: 3, kernelSize: 1 }, first);
  return builder.build(rest(builder, score, image));
}

describe("predict with graphs that do not end with the size of their input", () => {
  const channelwise = { kind: "convTranspose", outChannels: 3, groups: 3, stride: 2 } as const;

  it("takes the part of a larger answer whose pixels fall on those of the image", async () => {
    const wide = smallGraph(
      (builder, score) => ({
        out: builder.add("up", { ...channelwise, kernelSize: 3, padding: 1 }, score),
      }),
      5,
    );
    const cut: fcn.models.Graph = {
      ...wide,
      nodes: [...wide.nodes, { name: "cut", layer: { kind: "crop" }, inputs: ["up", "data"] }],
      outputs: { out: "cut" },
    };
    using a = new GraphNet(device, wide, 5);
    using b = new GraphNet(device, cut, 5);
    for (const [height, width] of [
      [20, 31],
      [7, 1],
    ] as const) {
      const image = makeImage(height, width);
      const options = { preprocessing: RAW, probabilities: true };
      expect(await fcn.predict(a, image, options)).toEqual(await fcn.predict(b, image, options));
    }
  });

  it("fills images up in front too where windows without padding would answer fewer pixels", async () => {
    const builder = new GraphBuilder("valid");
    const image = builder.add("data", { kind: "input", channels: 3 });
    const first = builder.add("conv1", { kind: "conv", outChannels: 3, kernelSize: 3 }, image);
    const valid = builder.build({ out: first });
    const same: fcn.models.Graph = {
      ...valid,
      nodes: valid.nodes.map((node) =>
        node.name === "conv1" ? { ...node, layer: { ...node.layer, padding: 1 } as fcn.models.Layer } : node,
      ),
    };
    using a = new GraphNet(device, valid, 5);
    using b = new GraphNet(device, same, 5);
    const options = { preprocessing: RAW, probabilities: true };
    expect(await fcn.predict(a, makeImage(9, 14), options)).toEqual(await fcn.predict(b, makeImage(9, 14), options));
  });

  it("fills images up where branches meet only for multiples of the stride", async () => {
    const builder = new GraphBuilder("branches");
    const image = builder.add("data", { kind: "input", channels: 3 });
    const pooled = builder.add("pool", { kind: "maxPool", kernelSize: 2, stride: 2 }, image);
    const up = builder.add("up", { kind: "resize", mode: "nearest", scaleFactor: 2 }, pooled);
    const both = builder.add("both", { kind: "concat" }, up, image);
    const score = builder.add("score", { kind: "conv", outChannels: 3, kernelSize: 1 }, both);
    const graph = builder.build({ out: score });
    using net = new GraphNet(device, graph, 5);
    const { labels } = await fcn.predict(net, makeImage(9, 15), { preprocessing: RAW });
    expect(labels).toHaveLength(9 * 15);
  });

  it("refuses one value for several pixels, and tells how to end the graph", async () => {
    using net = new GraphNet(
      device,
      smallGraph((_, score) => ({ out: score })),
      5,
    );
    const image = makeImage(21, 30);
    const sample = { name: "a", image, labels: new Uint8Array(21 * 30) };
    const told = {
      code: "invalid-shape",
      message: expect.stringMatching(/the net small returns score with 11x15 for images of 22x30, one value for 2 x 2/),
      fix: expect.stringContaining('builder.add("out", { kind: "resize", mode: "bilinear" }, "score", "data")'),
    };
    const options = { preprocessing: RAW, numClasses: 3 };
    await expect(fcn.predict(net, image, options)).rejects.toMatchObject(told);
    await expect(fcn.predict(net, image, { ...options, stride: 8 })).rejects.toMatchObject({ code: "invalid-shape" });
    await expect(fcn.evaluate(net, [sample], options)).rejects.toMatchObject(told);
    const training = { ...options, model: net, data: [sample], steps: 1, learningRate: 0.01 };
    await expect(fcn.train(training)).rejects.toMatchObject({ ...told, message: expect.stringMatching(/^train: /) });
    await expect(fcn.predict(net, image, { ...options, stride: 2.5 })).rejects.toThrow(/stride is 2.5/);
  });

  it("stitches shifted passes of the part in front of the upsampling, and refuses the whole net", async () => {
    const graph = smallGraph((builder, score) => ({
      out: builder.add("up", { ...channelwise, kernelSize: 4, padding: 1 }, score),
    }));
    using coarse = new GraphNet(device, fcn.models.subgraph(graph, "score"), 3);
    const x = device.tensor(planes(makeImage(8, 8), 8, 8), [1, 3, 8, 8]);
    expect(noGrad(() => fcn.shiftAndStitch(coarse, x, { factor: 2 })).shape).toEqual([1, 3, 8, 8]);
    expect(() => fcn.shiftAndStitch(coarse, x, { factor: 4 })).toThrow(/factor is 4, but .* a value for 2 x 2 pixels/);
    using net = new GraphNet(device, graph, 3);
    expect(() => fcn.shiftAndStitch(net, x, { factor: 2 })).toThrow(/factor is 2, but .* a value for every pixel/);
  });

  it("names a module's answer of another size in training as well", async () => {
    class Coarse extends nn.Module {
      readonly score = new nn.Conv2d(device, 3, 3, { kernelSize: 2, stride: 2 });
      override forward(x: Tensor): Tensor {
        return this.score.forward(x) as Tensor;
      }
    }
    using model = new Coarse();
    const data = [{ name: "a", image: makeImage(8, 8), labels: new Uint8Array(64) }];
    const run = fcn.train({ model, data, preprocessing: RAW, numClasses: 3, steps: 1, learningRate: 0.01 });
    await expect(run).rejects.toThrow(/train: the net returned \[1, 3, 4, 4\] for images \[1, 3, 8, 8\]/);
  });

  it("scores each head of a net by its own answer", async () => {
    const graph = smallGraph((builder, score, image) => {
      const up = builder.add("up", { ...channelwise, kernelSize: 4, padding: 1 }, score);
      return { sem: up, geo: builder.add("geo", { kind: "conv", outChannels: 2, kernelSize: 1 }, image) };
    });
    using net = new GraphNet<Record<"sem" | "geo", Tensor>>(device, graph, 5);
    const image = makeImage(9, 15);
    const found = async (head: string) => (await fcn.predict(net, image, { preprocessing: RAW, head })).labels;
    const [sem, geo] = [await found("sem"), await found("geo")];
    const sample = { name: "a", image, labels: sem, more: { geometric: geo } };
    const heads = { geo: { labels: "geometric" } };
    const scores = await fcn.evaluate(net, [sample], { preprocessing: RAW, numClasses: 3, head: "sem", heads });
    expect([scores.pixelAccuracy, scores.heads?.geo?.pixelAccuracy]).toEqual([1, 1]);
  });
});
