import { describe, expect, it } from "vitest";
import { chartValues, drawChart } from "../../bench/lib/chart.mjs";
import { compareOutputs } from "../../bench/lib/compare.mjs";
import { fromTfjs, toTfjs } from "../../bench/lib/layouts.mjs";
import { measureRow } from "../../bench/lib/measure.mjs";
import { installedVersion } from "../../bench/lib/peers.mjs";
import { asMarkdown, summarize } from "../../bench/lib/report.mjs";
import { interleave } from "../../bench/lib/timing.mjs";
import { selectRows } from "../../bench/rows/select.mjs";

const scalar = (value: number) => ({ y: { shape: [1], data: [value] } });

/** A side whose outputs are what its step returns, and which says itself how long it took. */
const side = (ms: number) => ({
  run: async () => ({ overriddenDuration: ms }),
  download: async (step: () => unknown) => step(),
  dispose: () => {},
});

const row = (theirs: number) => ({
  title: "a row",
  group: "operations",
  tolerance: 1e-3,
  kinds: {},
  flop: 2e6,
  values: 1e3,
  opens: {
    ours: async () => ({ step: () => scalar(1), owned: [] }),
    tfjs: async () => ({ step: () => scalar(theirs), owned: [] }),
    jax: async () => ({ step: () => scalar(1), owned: [] }),
  },
});

describe("a measured row", () => {
  const sides = { ours: side(2), tfjs: side(8) };

  it("has a ratio for each peer that is there, and the share of the peak", async () => {
    const found = await measureRow(row(1), sides, 3, { flops: 2e9, bytes: 1e9 });
    expect(Object.keys(found.peers)).toEqual(["tfjs"]);
    expect(found.peers.tfjs).toMatchObject({ ms: 8, ratio: 4, agrees: true });
    // 4000 bytes at 1 GB/s take 4 us, 2e6 operations at 2 GFLOP/s 1 ms: half of the 2 ms.
    expect(found.bound).toBe("arithmetic");
    expect(found.share).toBeCloseTo(0.5);
  });

  it("goes on without a peer that fails", async () => {
    const failing = row(1);
    failing.opens.tfjs = async () => {
      throw new Error("no such kernel");
    };
    const { peers, without, ms } = await measureRow(failing, sides, 3);
    expect([peers, without, ms]).toEqual([{}, { tfjs: "fails: no such kernel" }, { ours: 2 }]);
    failing.opens.ours = failing.opens.tfjs;
    await expect(measureRow(failing, sides, 3)).rejects.toThrow("no such kernel");
  });

  it("of a peer that computes something else counts for nothing", async () => {
    const [right, wrong] = [await measureRow(row(1), sides, 3), await measureRow(row(1.1), sides, 3)];
    expect(wrong.peers.tfjs?.agrees).toBe(false);
    expect(right.share).toBeUndefined();
    const slower = { ...right, peers: { tfjs: { ...right.peers.tfjs!, ratio: 9 } } };
    const [entry] = summarize([right, wrong, slower]);
    expect(entry).toMatchObject({ group: "operations", peer: "tfjs", rows: 2, disagreeing: ["a row"] });
    expect(entry?.geometricMean).toBeCloseTo(6);
    expect(entry?.worst?.ratio).toBe(4);
    const record = {
      date: "today",
      adapter: { description: "a GPU", vendor: "v", architecture: "a", device: "d" },
      peak: { flops: 1e9, bytes: 1e9 },
      versions: { fcn: "1", webgpu: "2", node: "3", tfjs: "4" },
      missing: { jax: "it is not there" },
      repeats: 3,
      rows: [wrong],
      fresh: [],
      summary: summarize([wrong]),
    };
    expect(asMarkdown(record)).toContain("tfjs-backend-webgpu DISAGREES by 9.1e-2");
    expect(asMarkdown(record)).toContain("jax-js is left out: it is not there");
  });
});

it("outputs differ where one lacks a name, a value or a number, or shows nothing", () => {
  const y = { data: [1, 2] };
  expect(compareOutputs({ y }, { y: { data: [1, 2.5] } })).toEqual({ y: 0.2 });
  for (const other of [{}, { y: { data: [1] } }, { y: { data: [1, Number.NaN] } }]) {
    expect(compareOutputs({ y }, other)).toEqual({ y: Number.POSITIVE_INFINITY });
  }
  const zero = { y: { data: [0, 0] } };
  expect(compareOutputs(zero, zero)).toEqual({ y: Number.POSITIVE_INFINITY });
});

it("a depthwise weight reaches tfjs with its channels before the multiplier, and comes back", () => {
  const data = Float32Array.from({ length: 2 * 3 * 3 }, (_, i) => i);
  const there = toTfjs({ kind: "depthwiseWeight", shape: [2, 1, 3, 3], data });
  expect(there.shape).toEqual([3, 3, 2, 1]);
  expect([...there.data.slice(0, 4)]).toEqual([0, 9, 1, 10]);
  expect(fromTfjs("depthwiseWeight", there)).toEqual({ shape: [2, 1, 3, 3], data });
});

it("sides run one at a time, in turn", async () => {
  const calls: string[] = [];
  const work = (name: string) => async () => {
    calls.push(name);
    await new Promise((resolve) => setTimeout(resolve, 1));
    calls.push(name);
  };
  // After such a long first time there is no warm-up.
  const times = await interleave({ a: work("a"), b: work("b") }, 2, 10_000);
  expect(calls.join("")).toBe("aabb".repeat(2));
  expect(times.a?.times.length).toBe(2);
});

it("rows are chosen by title and by group", () => {
  expect(selectRows(["conv4_3"]).every(({ group }) => group === "vgg16")).toBe(true);
  expect(selectRows(["3x3"], ["resnet18"]).length).toBeGreaterThan(4);
  expect(selectRows([], ["fresh"])).toEqual([]);
  expect(() => selectRows([], ["vgg19"])).toThrow("no group is called vgg19");
  expect(() => selectRows(["no such row"])).toThrow("no row matches");
});

describe("the chart", () => {
  const peers = {
    tfjs: { agrees: true, ratio: 4 },
    jax: { agrees: false, ratio: 2 },
    onnxCpu: { agrees: true, ratio: 0.5 },
  };
  const rows = [{ title: "conv & more", group: "operations", peers }];

  it("has a point for each peer that agrees", () => {
    const points = chartValues(rows).map(({ peer, ratio }) => [peer, ratio]);
    expect(points).toEqual([
      ["tfjs-backend-webgpu", 4],
      ["onnxruntime CPU", 0.5],
    ]);
  });

  it.runIf(installedVersion("vega-lite"))("is an SVG image that names rows, groups and peers", async () => {
    const svg = await drawChart(rows);
    expect(svg).toMatch(/^<svg [^>]*xmlns=/);
    for (const text of ["conv &amp; more", "operations", "tfjs-backend-webgpu", "time of the peer / ours"]) {
      expect(svg).toContain(text);
    }
    expect(svg).not.toContain("jax-js");
    expect(svg).not.toContain("NaN");
  });
});
