import { models } from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { coverage, largestTile, spansOf, tileOf } from "../../../packages/fcn/src/prediction/tiling.js";
import { propertySeed } from "../../support/property.js";
import { smallGraph, smallNet } from "./nets.js";

const int = (min: number, max: number) => fc.integer({ min, max });
const holds = <T>(inputs: fc.Arbitrary<T>, check: (input: T) => void) =>
  fc.assert(fc.property(inputs, check), { seed: propertySeed(), numRuns: 300 });

const cases = fc.record({ size: int(1, 400), stride: int(1, 33), tile: int(1, 9), overlap: int(0, 8) }).map((c) => {
  return { ...c, tile: c.tile * c.stride, overlap: Math.min(c.overlap, c.tile - 1) * c.stride };
});

describe("tiles", () => {
  it("cover the image from multiples of the stride, as much one over the other as asked for, and end at its border", () =>
    holds(cases, ({ size, tile, overlap, stride }) => {
      const spans = spansOf(size, tile, overlap, stride);
      expect(spans[0]?.begin).toBe(0);
      expect(spans.at(-1)?.end).toBe(size);
      for (const [i, { begin, end }] of spans.entries()) {
        expect(begin % stride).toBe(0);
        expect(end - begin).toBeLessThanOrEqual(tile);
        if (i < spans.length - 1) expect(end - begin).toBe(tile);
        const before = spans[i - 1];
        if (!before) continue;
        expect(begin).toBeGreaterThan(before.begin);
        expect(begin).toBeLessThanOrEqual(before.end - overlap);
      }
      const counts = coverage(spans, 0, size);
      expect(Math.min(...counts)).toBeGreaterThanOrEqual(1);
      for (const x of [0, size - 1, Math.floor(size / 2)]) {
        expect(counts[x]).toBe(spans.filter(({ begin, end }) => begin <= x && x < end).length);
      }
      const [from, to] = [Math.floor(size / 3), size];
      expect(coverage(spans, from, to)).toEqual(counts.slice(from, to));
    }));

  it("are the largest that a budget has room for", () =>
    holds(fc.tuple(int(1, 900), int(1, 900), int(1, 40), int(1, 400_000)), ([height, width, stride, budget]) => {
      const bytes = (h: number, w: number): number => h * w;
      const side = largestTile([height, width], stride, budget, bytes);
      expect(side % stride).toBe(0);
      const fits = (s: number): boolean => bytes(Math.min(s, height), Math.min(s, width)) <= budget;
      if (side > 4 * stride) expect(fits(side)).toBe(true);
      if (side + stride < Math.max(height, width)) expect(fits(side + stride)).toBe(false);
    }));

  it("refuse sides and overlaps that cannot be", () => {
    const tiles = (tile: [number, number], overlap?: number) => () => tileOf(tile, overlap, 32);
    expect(tiles([500, 512])).toThrow(/tile is 500x512 \(height x width\), the net's stride 32/);
    expect(tiles([0, 32])).toThrow(/tile is 0x32/);
    expect(tiles([64, 64], 40)).toThrow(/overlap is 40/);
    expect(tiles([64, 64], -1)).toThrow(/overlap is -1/);
    expect(tiles([64, 96], 20)()).toEqual(tiles([64, 96], 32)());
  });
});

describe("the reach of a net", () => {
  let device: Device;
  beforeAll(async () => {
    device = await createDevice({ quiet: true });
  });
  afterAll(() => device?.destroy());

  it("is how far a changed pixel shows", async () => {
    const [down, across] = models.reachOf(smallGraph(2));
    expect(models.coarsestStride(smallGraph(2))).toBe(4);
    expect(models.reachOf({ graph: smallGraph(2) })).toEqual([down, across]);
    expect(() => models.reachOf({} as models.Graph)).toThrow("neither a graph nor a net");
    expect(across).toBe(down);
    using net = smallNet(device, { numClasses: 2, positive: true });
    const size = 64;
    const run = async (values: Float32Array): Promise<Float32Array> =>
      (await device.scope(() =>
        net
          .forward(
            device.tensor(
              values,
              [1, 3, 1, size].map((n, i) => (i === 2 ? size : n)),
            ),
          )
          .data(),
      )) as Float32Array;
    const plain = new Float32Array(3 * size * size).fill(1);
    const base = await run(plain);
    let furthest = 0;
    for (const at of [28, 29, 30, 31]) {
      const changed = plain.slice();
      changed[at * size + at] = 5;
      const found = await run(changed);
      for (let i = 0; i < size * size; i++) {
        if (found[i] === base[i]) continue;
        furthest = Math.max(furthest, Math.abs((i % size) - at), Math.abs(Math.floor(i / size) - at));
      }
    }
    expect(furthest).toBe(down);
  });

  it("is half the receptive field, and up to a stride more, of every net that lies centred", () => {
    const misplaced = new Set(["d2l-resnet18"]);
    for (const name of models.list()) {
      const { graph } = models.graphOf(name, { numClasses: 2 });
      const reach = Math.max(...models.reachOf(graph));
      if (!Number.isFinite(reach) || misplaced.has(name)) continue;
      const rows = models.describe(name, { numClasses: 2, height: 256, width: 256 });
      const half = (rows.find((row) => row.name === (graph.outputs.out ?? graph.outputs.sem))?.receptiveField ?? 0) / 2;
      expect(reach).toBeGreaterThanOrEqual(half - 1);
      expect(reach).toBeLessThanOrEqual(half + models.coarsestStride(graph));
    }
  });

  it("is without end where a layer normalises over the image", () => {
    const builder = new models.GraphBuilder("norm");
    const image = builder.add("data", { kind: "input", channels: 4 });
    const graph = builder.build({ out: builder.add("norm", { kind: "groupNorm", groups: 2 }, image) });
    expect(models.reachOf(graph)).toEqual([Infinity, Infinity]);
  });
});
