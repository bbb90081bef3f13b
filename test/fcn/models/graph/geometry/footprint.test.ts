import { models } from "@fcn/core";
import { expect, it } from "vitest";
import { footprintOf } from "../../../../../packages/fcn/src/models/graph/geometry/footprint.js";

const conv = (outChannels: number, stride = 1) => ({ kind: "conv", outChannels, kernelSize: 1, stride }) as const;

/** An image of 3 channels of 4 x 6 pixels; a channel of it has 96 bytes. */
function peak(add: (builder: models.GraphBuilder, image: string) => Record<string, string>): number {
  const builder = new models.GraphBuilder("test");
  const image = builder.add("data", { kind: "input", channels: 3 });
  return footprintOf(builder.build(add(builder, image)))(4, 6);
}

it("counts a layer's output and what later layers still need", () => {
  expect(peak((b, image) => ({ out: b.add("a", conv(8), image) }))).toBe(11 * 96);
  // The image is not needed after the first layer, the features not after the second.
  const chain = (b: models.GraphBuilder, image: string) => {
    const features = b.add("a", conv(8), image);
    return b.add("c", conv(2), b.add("b", conv(7), features));
  };
  expect(peak((b, image) => ({ out: chain(b, image) }))).toBe(15 * 96);
  // The features wait for the sum.
  const residual = (b: models.GraphBuilder, image: string) => {
    const features = b.add("a", conv(8), image);
    return b.add("sum", { kind: "add" }, features, b.add("c", conv(8), b.add("b", conv(7), features)));
  };
  expect(peak((b, image) => ({ out: residual(b, image) }))).toBe((8 + 8 + 8) * 96);
});

it("keeps every head, and nothing that no layer uses", () => {
  expect(peak((b, image) => ({ out: b.add("b", conv(2), b.add("a", conv(8), image)) }))).toBe(11 * 96);
  const heads = (b: models.GraphBuilder, image: string) => {
    const first = b.add("first", conv(8), image);
    return { first, second: b.add("b", conv(9), b.add("a", conv(1), image)) };
  };
  expect(peak(heads)).toBe((8 + 1 + 9) * 96);
  const unused = (b: models.GraphBuilder, image: string) => {
    b.add("unused", conv(8), image);
    return { out: b.add("b", conv(4), b.add("a", conv(7), image)) };
  };
  expect(peak(unused)).toBe(11 * 96);
});

it("depends on the size of each layer's output, and of the image alone", () => {
  expect(peak((b, image) => ({ out: b.add("b", conv(40), b.add("a", conv(8, 2), image)) }))).toBe((48 * 96) / 4);
  const { graph } = models.graphOf("fcn32s-small", { numClasses: 2 });
  const footprint = footprintOf(graph);
  const first = footprint(64, 96);
  expect(footprint(128, 96)).toBeGreaterThan(first);
  expect(footprint(64, 96)).toBe(first);
});
