import { models } from "@fcn/core";
import { describe, expect, it } from "vitest";

const shapes = (name: string, n: number, width = n) => {
  const rows = models.describe(name, { numClasses: 21, height: n, width });
  return (node: string): readonly number[] => rows.find((row) => row.name === node)?.shape ?? [];
};

describe("sizes", () => {
  it.each([
    [1, 199, 100, 50, 25, 13, 7, 1, 64, 4, 80, 10, 88],
    [256, 454, 227, 114, 57, 29, 15, 9, 320, 20, 336, 42, 344],
    [375, 573, 287, 144, 72, 36, 18, 12, 416, 26, 432, 54, 440],
    [500, 698, 349, 175, 88, 44, 22, 16, 544, 34, 560, 70, 568],
  ])("of the VGG16 nets for a side of %i are those of the reference implementation", (n, ...expected) => {
    const [s32, s16, s8] = ["fcn32s-vgg16", "fcn16s-vgg16", "fcn8s-vgg16"].map((name) => shapes(name, n)) as [
      ReturnType<typeof shapes>,
      ReturnType<typeof shapes>,
      ReturnType<typeof shapes>,
    ];
    const backbone = ["conv1_1", "pool1", "pool2", "pool3", "pool4", "pool5", "fc6"].map((node) => s32(node)[1]);
    const heads = [s32("upscore"), s16("upscore2"), s16("upscore16"), s8("upscore_pool4"), s8("upscore8")].map(
      (s) => s[1],
    );
    expect([...backbone, ...heads]).toEqual(expected);
  });

  it.each(models.list())("of %s come back to the image for every side from 1 to 600", (name) => {
    const { graph } = models.graphOf(name, { numClasses: 21 });
    const geometryAt = models.geometryOf(graph);
    const heads = Object.entries(graph.outputs);
    expect(heads.length).toBeGreaterThan(0);
    for (let n = 1; n <= 600; n++) {
      const { shapes } = geometryAt(n, 601 - n);
      for (const [head, node] of heads) expect(shapes.get(node)).toEqual([head === "geo" ? 3 : 21, n, 601 - n]);
    }
  });

  it("are checked where one value a channel is to count everywhere", () => {
    const gated = (...second: string[]): models.Graph => {
      const builder = new models.GraphBuilder("gated");
      const data = builder.add("data", { kind: "input", channels: 3 });
      builder.add("pooled", { kind: "globalPool" }, data);
      return builder.build({ out: builder.add("gated", { kind: "gate" }, data, ...second) });
    };
    expect(models.inferShapes(gated("pooled"), 7, 9).get("gated")).toEqual([3, 7, 9]);
    expect(() => models.inferShapes(gated("data"), 7, 9)).toThrow(
      "gate gated, image 7x9: its inputs measure 7x9 and 7x9, but the second must be 1x1",
    );
    expect(() => models.inferShapes(gated(), 7, 9)).toThrow("gate gated: it has 1 of the two inputs that it needs");
  });

  it("fit any side from 64 on with padding 81, and name the layer that vanishes below", () => {
    const describe81 = (n: number) =>
      models.describe("fcn32s-vgg16", { numClasses: 2, padding: 81, height: n, width: n });
    for (let n = 64; n <= 200; n++) expect(describe81(n).at(-1)?.shape).toEqual([2, n, n]);
    expect(() => describe81(1)).toThrow(/image 1x1: its output from 6x6 would be 0x0/);
  });
});

describe("receptive fields", () => {
  it("are those of the paper's Table 1: 404 at fc6, 100 at pool4, 44 at pool3", () => {
    const rows = models.describe("fcn32s-vgg16", { numClasses: 21, height: 500, width: 500 });
    const field = (node: string): number | undefined => rows.find((row) => row.name === node)?.receptiveField;
    expect([field("fc6"), field("pool4"), field("pool3")]).toEqual([404, 100, 44]);
  });
});

describe("models.describe", () => {
  it("shows crop offsets with the crops", () => {
    const rows = models.describe("fcn8s-vgg16", { numClasses: 21, height: 64, width: 64 });
    expect(rows.filter((row) => row.cropOffset).map((row) => [row.name, row.cropOffset?.[0]])).toEqual([
      ["score_pool4c", 5],
      ["score_pool3c", 9],
      ["score", 31],
    ]);
  });

  it("refuses an unknown model, naming those that exist", () => {
    expect(() => models.describe("fcn4s-vgg16", { numClasses: 2, height: 8, width: 8 })).toThrow(
      /no model called "fcn4s-vgg16"/,
    );
    expect(() => models.describe("toString", { numClasses: 2, height: 8, width: 8 })).toThrow(/no model called/);
  });
});
