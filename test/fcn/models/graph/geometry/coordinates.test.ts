import { coordinates, models } from "@fcn/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const {
  composeMaps,
  coordinateMaps,
  cropOffset,
  cropOffsets,
  formatMap,
  identityMap,
  inverseMap,
  layerMap,
  mapsEqual,
} = coordinates;
const graph = (name: string, options: object = {}): models.Graph =>
  models.graphOf(name, { numClasses: 2, ...options }).graph;
const offsets = (name: string, options: object = {}): Record<string, readonly [number, number]> =>
  Object.fromEntries(cropOffsets(graph(name, options)));

const window = fc.record({
  kernelSize: fc.integer({ min: 1, max: 9 }),
  stride: fc.integer({ min: 1, max: 5 }),
  padding: fc.integer({ min: 0, max: 12 }),
  dilation: fc.integer({ min: 1, max: 4 }),
});

/** CaffeNet as published: the pools have size 3 and stride 2, conv1 has padding 100. */
function alexNet(upKernel: number): models.Graph {
  const builder = new models.GraphBuilder("alexnet");
  const conv = (kernelSize: number, stride: number, padding: number): models.Layer => ({
    kind: "conv",
    outChannels: 1,
    kernelSize,
    stride,
    padding,
  });
  const pool: models.Layer = { kind: "maxPool", kernelSize: 3, stride: 2, ceilMode: true };
  const layers = [
    conv(11, 4, 100),
    pool,
    conv(5, 1, 2),
    pool,
    conv(3, 1, 1),
    conv(3, 1, 1),
    conv(3, 1, 1),
    pool,
    conv(6, 1, 0),
    conv(1, 1, 0),
  ];
  const data = builder.add("data", { kind: "input", channels: 3 });
  const top = layers.reduce((input, layer, i) => builder.add(`layer${i}`, layer, input), data);
  const up = builder.add("upscore", { kind: "convTranspose", outChannels: 1, kernelSize: upKernel, stride: 32 }, top);
  return builder.build({ out: builder.add("score", { kind: "crop" }, up, data) });
}

describe("crop offsets derived from the layers", () => {
  it("are the published ones", () => {
    expect(offsets("fcn32s-vgg16")).toEqual({ score: [19, 19] });
    expect(offsets("fcn16s-vgg16")).toEqual({ score_pool4c: [5, 5], score: [27, 27] });
    expect(offsets("fcn8s-vgg16")).toEqual({ score_pool4c: [5, 5], score_pool3c: [9, 9], score: [31, 31] });
    expect(offsets("fcn8s-atonce-vgg16")).toEqual(offsets("fcn8s-vgg16"));
    expect(cropOffsets(alexNet(63)).get("score")).toEqual([18, 18]);
  });

  it("follow the padding P of conv1_1: P - 81, P - 73, P - 69", () => {
    fc.assert(
      fc.property(fc.integer({ min: 81, max: 200 }), (padding) => {
        expect(offsets("fcn32s-vgg16", { padding }).score).toEqual([padding - 81, padding - 81]);
        expect(offsets("fcn16s-vgg16", { padding }).score).toEqual([padding - 73, padding - 73]);
        expect(offsets("fcn8s-vgg16", { padding }).score).toEqual([padding - 69, padding - 69]);
      }),
    );
  });

  it("are 0 in the nets with native padding", () => {
    for (const name of ["fcn32s-small", "fcn16s-small", "fcn8s-small"]) {
      expect(
        Object.values(offsets(name))
          .flat()
          .every((offset) => offset === 0),
      ).toBe(true);
    }
  });

  it("are refused where they would be negative, fractional or at another scale", () => {
    expect(() => graph("fcn32s-vgg16", { padding: 80 }) && offsets("fcn32s-vgg16", { padding: 80 })).toThrow(
      "crop score: the offset is -1, but it must not be negative",
    );
    expect(() => cropOffsets(alexNet(64))).toThrow("crop score: the offset is 37/2, but it must be an integer");
    const half = layerMap({ kind: "conv", outChannels: 1, kernelSize: 1, stride: 2 }, 0);
    expect(() => cropOffset(half, identityMap, "score")).toThrow("crop score: the scale is 1/2, but it must be 1");
  });
});

describe("coordinate maps", () => {
  it("give score_fr of FCN-32s scale 1/32 and shift -25/64", () => {
    const map = coordinateMaps(graph("fcn32s-vgg16"), 0).get("score_fr");
    expect(map && formatMap(map)).toBe("1/32 x - 25/64");
  });

  it("of a transposed window invert those of the window, and compose associatively", () => {
    fc.assert(
      fc.property(window, window, window, (a, b, c) => {
        const [f, g, h] = [a, b, c].map((w) => layerMap({ kind: "conv", outChannels: 1, ...w }, 0)) as [
          coordinates.CoordinateMap,
          coordinates.CoordinateMap,
          coordinates.CoordinateMap,
        ];
        const up = layerMap({ kind: "convTranspose", outChannels: 1, ...a }, 0);
        expect(composeMaps(up, f)).toEqual(identityMap);
        expect(composeMaps(inverseMap(f), f)).toEqual(identityMap);
        expect(mapsEqual(composeMaps(f, composeMaps(g, h)), composeMaps(composeMaps(f, g), h))).toBe(true);
      }),
    );
  });

  it("name the centre of the window that a cell looks through", () => {
    fc.assert(
      fc.property(window, fc.integer({ min: 0, max: 20 }), (w, cell) => {
        const { scale, shift } = layerMap({ kind: "maxPool", ...w }, 0);
        const first = cell * w.stride - w.padding;
        const last = first + w.dilation * (w.kernelSize - 1);
        const centre = (first + last) / 2;
        expect((scale.num / scale.den) * centre + shift.num / shift.den).toBeCloseTo(cell, 9);
      }),
    );
  });

  it("tell the axes apart", () => {
    const layer: models.Layer = { kind: "conv", outChannels: 1, kernelSize: [1, 7], padding: [0, 1], stride: [1, 2] };
    expect(formatMap(layerMap(layer, 0))).toBe("1 x + 0");
    expect(formatMap(layerMap(layer, 1))).toBe("1/2 x - 1");
  });

  it("of a layer resized to another are those of the other", () => {
    const builder = new models.GraphBuilder("resized");
    const data = builder.add("data", { kind: "input", channels: 1 });
    const fine = builder.add("fine", { kind: "conv", outChannels: 1, kernelSize: 3, stride: 2 }, data);
    const coarse = builder.add("coarse", { kind: "conv", outChannels: 1, kernelSize: 3, stride: 2 }, fine);
    const resize: models.Layer = { kind: "resize", mode: "bilinear" };
    const maps = coordinateMaps(builder.build({ out: builder.add("resized", resize, coarse, fine) }), 0);
    expect([...maps.values()].map(formatMap)).toEqual(["1 x + 0", "1/2 x - 1/2", "1/4 x - 3/4", "1/2 x - 1/2"]);
    expect(layerMap(resize, 0)).toEqual(identityMap);
  });

  it('depend on the size of the image where padding is "same"', () => {
    const builder = new models.GraphBuilder("same");
    const data = builder.add("data", { kind: "input", channels: 1 });
    const conv = { kind: "conv", outChannels: 1, kernelSize: 3, stride: 2, padding: "same" } as const;
    const low = builder.add("low", conv, builder.add("pad", { kind: "pad", padding: 1 }, data));
    const up = builder.add("up", { kind: "convTranspose", outChannels: 1, kernelSize: 3, stride: 2 }, low);
    const same = builder.build({ out: builder.add("score", { kind: "crop" }, up, data) });
    // The layer takes an image of two pixels more.
    const shiftOf = (size: number) => formatMap(coordinateMaps(same, 0, size).get("low") as coordinates.CoordinateMap);
    expect([shiftOf(5), shiftOf(6)]).toEqual(["1/2 x + 1/2", "1/2 x + 0"]);
    expect(cropOffsets(same, [5, 6]).get("score")).toEqual([2, 1]);
    expect(() => coordinateMaps(same, 0)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(() => cropOffsets(same)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });

  it("refuse a sum of layers that lie at different places", () => {
    const builder = new models.GraphBuilder("astray");
    const data = builder.add("data", { kind: "input", channels: 1 });
    const even = builder.add("even", { kind: "conv", outChannels: 1, kernelSize: 2 }, data);
    const sum = builder.add("sum", { kind: "add" }, data, even);
    expect(() => coordinateMaps(builder.build({ out: sum }), 0)).toThrow(
      "add sum: its inputs lie at different places of the image: data at 1 x + 0, even at 1 x - 1/2",
    );
  });
});
