import { coordinates, models } from "@fcn/core";
import { describe, expect, it } from "vitest";

const OPTIONS = { numClasses: 21 };
const scores = (name: string): models.Graph => models.subgraph(models.graphOf(name, OPTIONS).graph, "score_fr");

describe("subgraph", () => {
  it("ends at a node and keeps what it needs", () => {
    const graph = scores("fcn8s-vgg16");
    expect(graph.nodes.at(-1)?.name).toBe("score_fr");
    expect(graph.nodes.some(({ name }) => name.startsWith("up") || name === "score_pool4")).toBe(false);
    expect(graph.outputs).toEqual({ out: "score_fr" });
    expect(() => models.subgraph(graph, "pool9")).toThrow(/has no node called "pool9"/);
  });
});

describe("scoreLayers", () => {
  it.each([
    ["fcn32s-vgg16", ["score_fr"]],
    ["fcn8s-atonce-vgg16", ["score_fr", "score_pool4", "score_pool3"]],
    ["fcn_resnet50", ["classifier.4", "aux_classifier.4"]],
    ["deeplabv3_resnet50", ["classifier.4", "aux_classifier.4"]],
    ["lraspp_mobilenet_v3_large", ["classifier.low_classifier", "classifier.high_classifier"]],
    ["d2l-resnet18", ["final_conv"]],
    ["fcn16s-mobilenetv2", ["score_fr"]],
  ])("of %s are %s", (name, layers) => {
    const found = models.scoreLayers(models.graphOf(name, OPTIONS).graph);
    expect(found).toEqual(expect.arrayContaining(layers));
    expect(found.every((layer) => /score|classifier\.4|_classifier$|final_conv/.test(layer))).toBe(true);
  });
});

describe("dilate", () => {
  it.each(["fcn32s-vgg16", "fcn32s-alexnet", "fcn32s-resnet18"])("leaves the receptive fields of %s", (name) => {
    const graph = scores(name);
    const fields = (g: models.Graph): [string, number][] =>
      models.describeGraph(g, 128, 160).map((row) => [row.name, row.receptiveField]);
    expect(fields(models.dilate(graph))).toEqual(fields(graph));
  });

  it("takes the named strides out and dilates what follows", () => {
    const graph = models.dilate(scores("fcn32s-vgg16"), ["pool4", "pool5"]);
    const layerOf = (name: string): object | undefined => graph.nodes.find((node) => node.name === name)?.layer;
    expect(layerOf("conv4_3")).toMatchObject({ padding: 1, dilation: 1 });
    expect(layerOf("pool4")).toMatchObject({ kernelSize: 2, stride: 1 });
    expect(layerOf("conv5_1")).toMatchObject({
      dilation: [2, 2],
      padding: [
        [2, 2],
        [2, 2],
      ],
    });
    expect(layerOf("pool5")).toMatchObject({ stride: 1, dilation: [2, 2] });
    expect(layerOf("fc6")).toMatchObject({ dilation: [4, 4] });
  });

  it("moves no cell: the scores lie at the same places, four times as densely", () => {
    const [coarse, fine] = [scores("fcn32s-vgg16"), models.dilate(scores("fcn32s-vgg16"), ["pool4", "pool5"])].map(
      (graph) => coordinates.coordinateMaps(graph, 0).get("score_fr"),
    );
    const times4 = { scale: { num: 4, den: 1 }, shift: { num: 0, den: 1 } };
    expect(coordinates.composeMaps(times4, coarse as coordinates.CoordinateMap)).toEqual(fine);
  });

  it("dilates the later blocks of a stage whose first block lost its stride", () => {
    const graph = models.subgraph(models.graphOf("fcn32s-resnet50", OPTIONS).graph, "score_fr");
    const names = ["backbone.layer4.0.conv2", "backbone.layer4.0.downsample.0"];
    const dilated = models.dilate(graph, names);
    const layer = (name: string) => dilated.nodes.find((node) => node.name === name)?.layer;
    expect(layer("backbone.layer4.1.conv2")).toMatchObject({
      dilation: [2, 2],
      padding: [
        [2, 2],
        [2, 2],
      ],
    });
    expect(layer("backbone.layer4.0.conv2")).toMatchObject({ stride: 1 });
  });

  it("refuses what has no such form", () => {
    const graph = (name: string, options: object = {}) => models.graphOf(name, { ...OPTIONS, ...options }).graph;
    expect(() => models.dilate(graph("fcn32s-vgg16"))).toThrow(
      "dilate upscore: a convTranspose cannot follow layers that lost their stride",
    );
    expect(() => models.dilate(graph("fcn32s-vgg16"), ["relu1_1"])).toThrow(/it is a relu, which has no stride/);
    expect(() => models.dilate(graph("fcn32s-vgg16"), ["pool6"])).toThrow(/has no node called "pool6"/);
    expect(() => models.dilate(graph("fcn32s-mobilenetv2", { samePadding: true }))).toThrow(/padding "same" depends/);
    expect(() => models.dilate(scores("fcn32s-resnet18"), ["backbone.layer4.0.conv1"])).toThrow(
      /became 2x2 times as fine/,
    );
    expect(() => models.dilate(models.subgraph(graph("fcn32s-inceptionv3"), "score_fr"))).toThrow(
      /an? avgPool cannot follow/,
    );
  });
});
