import { coordinates, models } from "@fcn/core";
import { createDevice, type Device, noGrad, type Tensor } from "@fcn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseGraph, stringifyGraph } from "../../../../packages/fcn/src/models/graph/check.js";
import { assertProperty } from "../../../support/property.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true, debug: { poison: true } });
});
afterAll(() => device?.destroy());

type Add = (builder: models.GraphBuilder, data: string) => string;

/** A graph of an image of 4 channels and what `add` puts after it. */
function graphOf(add: Add): models.Graph {
  const builder = new models.GraphBuilder("test");
  const data = builder.add("data", { kind: "input", channels: 4 });
  return builder.build({ out: add(builder, data) });
}

const one =
  (layer: models.Layer): Add =>
  (builder, data) =>
    builder.add("layer", layer, data);
const down: models.Layer = { kind: "maxPool", kernelSize: 2, stride: 2, ceilMode: true };

/** One graph for each kind of layer and way to use it. */
const kinds: Record<string, Add> = {
  conv: one({ kind: "conv", outChannels: 6, kernelSize: [3, 2], stride: [2, 1], padding: [1, 0], dilation: [1, 2] }),
  "grouped conv": one({ kind: "conv", outChannels: 6, kernelSize: 3, groups: 2, padding: 4 }),
  "conv, uneven padding": one({
    kind: "conv",
    outChannels: 2,
    kernelSize: 3,
    stride: 2,
    padding: [
      [0, 1],
      [2, 0],
    ],
  }),
  "conv, same": one({ kind: "conv", outChannels: 2, kernelSize: 3, stride: 2, padding: "same" }),
  "depthwise conv, same": one({ kind: "conv", outChannels: 4, groups: 4, kernelSize: [4, 3], padding: "same" }),
  "dilated conv, same": one({ kind: "conv", outChannels: 2, kernelSize: 3, stride: 3, dilation: 2, padding: "same" }),
  convTranspose: one({ kind: "convTranspose", outChannels: 4, groups: 4, kernelSize: 4, stride: 2, padding: 1 }),
  maxPool: one({ kind: "maxPool", kernelSize: 3, stride: 2, padding: 1 }),
  "maxPool, ceil": one({ kind: "maxPool", kernelSize: 3, stride: 2, ceilMode: true }),
  "maxPool, same": one({ kind: "maxPool", kernelSize: 3, stride: 2, padding: "same" }),
  avgPool: one({ kind: "avgPool", kernelSize: 3, stride: 1, padding: 1 }),
  "avgPool, same": one({ kind: "avgPool", kernelSize: 2, stride: 2, padding: "same", countIncludePad: false }),
  batchNorm: one({ kind: "batchNorm" }),
  groupNorm: one({ kind: "groupNorm", groups: 2 }),
  lrn: one({ kind: "lrn", size: 5, alpha: 1e-4, beta: 0.75 }),
  relu: one({ kind: "relu" }),
  relu6: one({ kind: "relu6" }),
  dropout: one({ kind: "dropout", p: 0.5, channelwise: true }),
  scale: one({ kind: "scale", factor: 0.5 }),
  add: (b, data) => b.add("sum", { kind: "add" }, data, data, data),
  max: (b, data) => b.add("max", { kind: "max" }, data, b.add("half", { kind: "scale", factor: 0.5 }, data)),
  concat: (b, data) => b.add("both", { kind: "concat" }, b.add("low", { kind: "slice", start: 0, end: 1 }, data), data),
  slice: one({ kind: "slice", start: 1, end: 3 }),
  pad: one({
    kind: "pad",
    padding: [
      [1, 2],
      [0, 3],
    ],
  }),
  "resize to a reference": (b, data) =>
    b.add("up", { kind: "resize", mode: "bilinear" }, b.add("pool", down, data), data),
  "resize by a factor": one({ kind: "resize", mode: "nearest", scaleFactor: 3 }),
  crop: (b, data) => b.add("cut", { kind: "crop", align: "topLeft" }, data, b.add("pool", down, data)),
};

describe.each(Object.entries(kinds))("the layer %s", (_, add) => {
  it("has the shape that is inferred, for any size", async () => {
    const graph = graphOf(add);
    const net = new models.GraphNet(device, graph, 1).eval();
    const shapesAt = models.geometryOf(graph);
    await assertProperty(
      fc.tuple(fc.integer({ min: 4, max: 12 }), fc.integer({ min: 4, max: 12 })),
      6,
      async ([h, w]) => {
        await device.scope(async () => {
          const y = noGrad(() => net.forward(device.rand([2, 4, h, w], { seed: 3 })));
          expect(y.shape).toEqual([2, ...(shapesAt(h, w).shapes.get(graph.outputs.out as string) ?? [])]);
          expect((await y.data()).every(Number.isFinite)).toBe(true);
        });
      },
    );
    net.dispose();
  });
});

describe("the padding same", () => {
  it("gives ceil(size / stride) pixels and lies where TensorFlow puts it", () => {
    const layer: models.Layer = { kind: "conv", outChannels: 1, kernelSize: 3, stride: 2, padding: "same" };
    const graph = graphOf(one(layer));
    for (let n = 1; n < 40; n++) {
      expect(models.inferShapes(graph, n, 2 * n).get("layer")).toEqual([1, Math.ceil(n / 2), n]);
      // Cell 0 sees pixels 0 to 2 of an even side, and -1 to 1 of an odd one.
      const shift = coordinates.coordinateMaps(graph, 0, n).get("layer")?.shift;
      expect(shift).toEqual(n % 2 === 0 ? { num: -1, den: 2 } : { num: 0, den: 1 });
    }
    expect(() => coordinates.coordinateMaps(graph, 0)).toThrow(
      'graph: with padding "same" the places of the pixels depend on the size of the image',
    );
  });

  it("moves a crop with the size of the image", () => {
    const graph = graphOf((b, data) => {
      const half = b.add("half", { kind: "conv", outChannels: 4, kernelSize: 3, stride: 2, padding: "same" }, data);
      const up = b.add("up", { kind: "convTranspose", outChannels: 4, groups: 4, kernelSize: 3, stride: 2 }, half);
      return b.add("score", { kind: "crop" }, up, data);
    });
    expect(coordinates.cropOffsets(graph, [8, 9]).get("score")).toEqual([0, 1]);
    for (let n = 1; n < 60; n++) expect(models.inferShapes(graph, n, 60 - n).get("score")).toEqual([4, n, 60 - n]);
  });
});

describe("places in the image", () => {
  const map = (add: Add) => {
    const graph = graphOf(add);
    return coordinates.formatMap(coordinates.coordinateMaps(graph, 0).get(graph.outputs.out as string)!);
  };
  it("of pad, average pool and resize", () => {
    expect(
      map(
        one({
          kind: "pad",
          padding: [
            [3, 0],
            [0, 0],
          ],
        }),
      ),
    ).toBe("1 x + 3");
    expect(map(one({ kind: "avgPool", kernelSize: 2, stride: 2 }))).toBe("1/2 x - 1/4");
    expect(map(one({ kind: "resize", mode: "bilinear", scaleFactor: 4 }))).toBe("4 x + 3/2");
    expect(map(kinds["resize to a reference"] as Add)).toBe("1 x + 0");
  });

  it("must agree in a sum, a maximum and a concatenation", () => {
    for (const kind of ["add", "max", "concat"] as const) {
      const shifted: Add = (b, data) => {
        const left = b.add(
          "left",
          {
            kind: "conv",
            outChannels: 4,
            kernelSize: 3,
            padding: [
              [0, 2],
              [0, 2],
            ],
          },
          data,
        );
        return b.add("join", { kind }, data, left);
      };
      expect(() => map(shifted)).toThrow(`${kind} join: its inputs lie at different places of the image`);
    }
  });
});

describe("receptive fields", () => {
  const field = (add: Add) => models.describeGraph(graphOf(add), 40, 40).at(-1)?.receptiveField;
  it("grow with pools and bilinear resizing, and are the largest of a concatenation", () => {
    expect(field(one({ kind: "avgPool", kernelSize: 5, stride: 2 }))).toBe(5);
    expect(field(kinds["resize to a reference"] as Add)).toBe(4);
    expect(
      field((b, data) => {
        const wide = b.add("wide", { kind: "conv", outChannels: 1, kernelSize: 7, dilation: 2, padding: 6 }, data);
        return b.add("both", { kind: "concat" }, data, wide);
      }),
    ).toBe(13);
  });
});

describe("a graph with several heads", () => {
  /** Two backbones on two parts of one image, the mean of their scores, and a second head in between. */
  const graph = (): models.Graph => {
    const b = new models.GraphBuilder("two heads");
    const data = b.add("data", { kind: "input", channels: 5 });
    const branch = (name: string, start: number, end: number) => {
      const part = b.add(`${name}.data`, { kind: "slice", start, end }, data);
      const score = b.add(`${name}.score`, { kind: "conv", outChannels: 2, kernelSize: 3, padding: 1 }, part);
      return b.add(`${name}.half`, { kind: "scale", factor: 0.5 }, score);
    };
    const [a, c] = [branch("rgb", 0, 3), branch("depth", 3, 5)];
    b.add("unused", { kind: "relu" }, a);
    const sum = b.add("fused", { kind: "add" }, a, c);
    return b.build({ out: b.add("out", { kind: "relu" }, sum), mean: sum });
  };

  it("returns a record, and frees all else", async () => {
    await device.scope(async () => {
      const net = new models.GraphNet<Record<"out" | "mean", Tensor>>(device, graph(), 1);
      const x = device.rand([1, 5, 9, 7], { seed: 1 });
      const before = device.memory().liveTensors;
      const heads = noGrad(() => net.forward(x));
      expect(device.memory().liveTensors - before).toBe(2);
      expect(Object.keys(heads)).toEqual(["out", "mean"]);
      const [out, mean] = await Promise.all([heads.out.data(), heads.mean.data()]);
      expect(Array.from(out)).toEqual(Array.from(mean, (v) => Math.max(v, 0)));
      expect(mean.some((v) => v !== 0)).toBe(true);
    });
  });

  it("gives every parameter a gradient", async () => {
    await device.scope(async () => {
      const net = new models.GraphNet<Record<"out" | "mean", Tensor>>(device, graph(), 1);
      const { mean } = net.forward(device.rand([1, 5, 9, 7], { seed: 1 }));
      mean.backward(device.ones(mean.shape));
      expect(net.namedParameters().map(([name]) => name)).toEqual([
        "rgb.score.weight",
        "rgb.score.bias",
        "depth.score.weight",
        "depth.score.bias",
      ]);
      for (const [name, parameter] of net.namedParameters()) {
        const grad = await parameter.grad?.data();
        expect(
          grad?.some((v) => v !== 0),
          name,
        ).toBe(true);
        if (name.endsWith("bias")) expect(Array.from(grad ?? [])).toEqual([31.5, 31.5]);
      }
    });
  });

  it.each<[string, models.Layer, string]>([
    [
      "channels that do not exist",
      { kind: "slice", start: 2, end: 5 },
      "slice layer: channels 2 to 4 of an input that has 4",
    ],
    [
      "an average pool with a dilation",
      { kind: "avgPool", kernelSize: 3, dilation: [1, 2] },
      "avgPool layer: it has a dilation of 1,2, but average pools do not dilate",
    ],
    [
      "bilinear upsampling with a kernel that is not square",
      { kind: "convTranspose", outChannels: 4, kernelSize: [4, 2], stride: 2 },
      "convTranspose layer: bilinear upsampling with a kernel of 4x2",
    ],
  ])("refuses %s", (_, layer, message) => {
    const graph = graphOf(one(layer));
    const refusal = expect.objectContaining({ code: "invalid-argument", message: expect.stringContaining(message) });
    expect(() => models.inferShapes(graph, 8, 8)).toThrow(refusal);
    expect(() => new models.GraphNet(device, graph, 1)).toThrow(refusal);
    expect(() => stringifyGraph("test", graph)).toThrow(message);
  });

  it("takes the dilation of 1 that an average pool may state, and upsampling with any kernel if it is learned", () => {
    for (const layer of [
      { kind: "avgPool", kernelSize: 3, dilation: 1 },
      { kind: "convTranspose", outChannels: 4, kernelSize: [4, 2], stride: 2, init: "default" },
    ] as const) {
      const graph = graphOf(one(layer));
      expect(parseGraph("test", stringifyGraph("test", graph)).nodes).toEqual(graph.nodes);
    }
  });
});
