import { models } from "@fcn/core";
import { describe, expect, it } from "vitest";

const { coarsestStride, reachOf } = models;
const conv = (kernelSize: models.Extent, rest: object = {}): models.Layer => ({
  ...{ kind: "conv", outChannels: 3, kernelSize },
  ...rest,
});

type Add = (builder: models.GraphBuilder, image: string) => string;

function graphOf(add: Add): models.Graph {
  const builder = new models.GraphBuilder("test");
  const image = builder.add("data", { kind: "input", channels: 3 });
  return builder.build({ out: add(builder, image) });
}

const chain = (...layers: models.Layer[]): models.Graph =>
  graphOf((b, image) => layers.reduce((input, layer, i) => b.add(`layer${i}`, layer, input), image));

/** Down by a stride of 2 and up again, cut to the size of the image. */
const hourglass = graphOf((b, image) => {
  const low = b.add("low", conv(3, { stride: 2, padding: 2 }), image);
  const up = b.add("up", { kind: "convTranspose", outChannels: 3, groups: 3, kernelSize: 4, stride: 2 }, low);
  return b.add("score", { kind: "crop" }, b.add("even", conv(2), up), image);
});

describe("the coarsest stride", () => {
  it("is the least common multiple of the strides on both axes", () => {
    expect(coarsestStride(chain(conv(3)))).toBe(1);
    expect(coarsestStride(chain(conv(3, { stride: 2 }), conv(3, { stride: 2 })))).toBe(4);
    expect(coarsestStride(chain(conv(3, { stride: [2, 3] })))).toBe(6);
    expect(coarsestStride(chain(conv(3, { stride: 4 }), { kind: "resize", mode: "nearest", scaleFactor: 2 }))).toBe(4);
    expect(coarsestStride(chain({ kind: "resize", mode: "nearest", scaleFactor: 2 }))).toBe(1);
  });

  it("joins those of branches, whichever comes first", () => {
    const branches = (first: number, second: number) =>
      graphOf((b, image) => {
        const fine = b.add("fine", conv(1, { stride: first }), image);
        const coarse = b.add("coarse", conv(1, { stride: second }), image);
        return b.add("both", { kind: "resize", mode: "nearest" }, fine, coarse);
      });
    expect([coarsestStride(branches(2, 3)), coarsestStride(branches(3, 2))]).toEqual([6, 6]);
    expect(coarsestStride(branches(2, 4))).toBe(4);
  });

  it("of features resized to those of another layer is no finer for it", () => {
    const resized = graphOf((b, image) => {
      const low = b.add("low", conv(1, { stride: 8 }), image);
      return b.add("score", { kind: "resize", mode: "bilinear" }, low, image);
    });
    expect(coarsestStride(resized)).toBe(8);
  });

  it("goes on from the coarsest of the features that a layer joins", () => {
    const joined = graphOf((b, image) => {
      const fine = b.add("fine", conv(1, { stride: 4 }), image);
      const coarse = b.add("coarse", conv(1, { stride: 2 }), fine);
      const resized = b.add("resized", { kind: "resize", mode: "bilinear" }, coarse, fine);
      return b.add("down", conv(1, { stride: 4 }), b.add("sum", { kind: "add" }, fine, resized));
    });
    expect(coarsestStride(joined)).toBe(16);
  });

  it("is asked for of a graph or of a net that runs one", () => {
    const graph = chain(conv(3, { stride: 2 }));
    expect(coarsestStride({ graph })).toBe(2);
    const refused = expect.objectContaining({ code: "invalid-argument" });
    for (const other of [undefined, {}, { graph: {} }, { nodes: "conv1" }] as unknown[]) {
      expect(() => coarsestStride(other as models.Graph)).toThrow(refused);
    }
    expect(() => coarsestStride({} as models.Graph)).toThrow("coarsestStride: got neither a graph nor a net");
    expect(() => reachOf({} as models.Graph)).toThrow("reachOf: got neither a graph nor a net");
  });
});

describe("the reach of a net", () => {
  it("is that of its windows, along each axis", () => {
    expect(reachOf(chain(conv(1)))).toEqual([0, 0]);
    expect(reachOf(chain(conv(3, { padding: 1 })))).toEqual([1, 1]);
    expect(reachOf(chain(conv([3, 7], { padding: [1, 3] })))).toEqual([1, 3]);
    expect(reachOf(chain(conv(3, { padding: 1 }), conv(5, { padding: 2 })))).toEqual([3, 3]);
    expect(reachOf({ graph: chain(conv(3, { padding: 1 })) })).toEqual([1, 1]);
  });

  it("is that of the further end of a window that lies aside", () => {
    const aside = (before: number, after: number): models.Layer =>
      conv(5, {
        padding: [
          [before, after],
          [2, 2],
        ],
      });
    expect(reachOf(chain(aside(1, 3)))).toEqual([3, 2]);
    expect(reachOf(chain(aside(4, 0)))).toEqual([4, 2]);
  });

  it("is found in an image that is large enough for it", () => {
    for (const dilation of [5, 7, 8, 9, 40]) {
      expect(reachOf(chain(conv(3, { dilation, padding: dilation })))).toEqual([dilation, dilation]);
    }
  });

  it("goes through strides and back, from the worst pixel of a stride", () => {
    // A pixel's scores come from cells whose windows begin three before it and end three after it.
    expect(coarsestStride(hourglass)).toBe(2);
    expect(reachOf(hourglass)).toEqual([3, 3]);
  });

  it("is that of the furthest branch", () => {
    const branches = (first: number, second: number) =>
      graphOf((b, image) => {
        const one = b.add("one", conv(2 * first + 1, { padding: first }), image);
        return b.add("sum", { kind: "add" }, one, b.add("two", conv(2 * second + 1, { padding: second }), image));
      });
    expect([reachOf(branches(1, 4)), reachOf(branches(4, 1))]).toEqual([
      [4, 4],
      [4, 4],
    ]);
  });

  it("is that of the furthest branch on each side of a pixel", () => {
    const side = (before: number, after: number) =>
      graphOf((b, image) => {
        const padding = [
          [before, after],
          [before, after],
        ];
        const aside = b.add("aside", conv(5, { padding }), image);
        const back = b.add("back", { kind: "resize", mode: "nearest" }, aside, image);
        return b.add("sum", { kind: "add" }, image, back);
      });
    expect([reachOf(side(4, 0)), reachOf(side(0, 4))]).toEqual([
      [4, 4],
      [4, 4],
    ]);
  });

  it("goes through strides that are no powers of two", () => {
    const thirds = graphOf((b, image) => {
      const low = b.add("low", conv(3, { stride: 3 }), image);
      return b.add("up", { kind: "resize", mode: "nearest", scaleFactor: 3 }, low);
    });
    expect(reachOf(thirds)).toEqual([2, 2]);
  });

  it('goes through crops and padding "same"', () => {
    const same = graphOf((b, image) => {
      const features = b.add("same", conv(3, { padding: "same" }), image);
      const padded = b.add("padded", { kind: "pad", padding: 3 }, features);
      return b.add("score", { kind: "crop" }, padded, image);
    });
    expect(reachOf(same)).toEqual([1, 1]);
  });

  it("is without end where no image of 2^17 pixels is wide enough for it", () => {
    const dilated = (dilation: number) => reachOf(chain(conv([1, 3], { dilation, padding: [0, dilation] })));
    expect(dilated(40_000)).toEqual([0, 40_000]);
    expect(dilated(70_000)).toEqual([0, Infinity]);
  });

  it("is without end where a layer normalises over the image", () => {
    expect(reachOf(chain(conv(1), { kind: "groupNorm", groups: 3 }))).toEqual([Infinity, Infinity]);
  });
});
