import { models } from "@fcn/core";
import { createDevice, type Device, noGrad, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { uniform } from "../../../support/hash-values.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const TINY = { numClasses: 3, widthMultiplier: 1 / 32 };
const VGG_NETS = models.list().filter((name) => /^fcn\d+s(-atonce)?-vgg16($|-rgbd|-hha|-siftflow)/.test(name));

type Heads = Record<string, Tensor>;

/** A net that returns the given nodes, with hash values in every parameter. */
function probe(name: string, options: Partial<models.ModelOptions>, nodes: readonly string[]): models.GraphNet<Heads> {
  const { graph } = models.graphOf(name, { ...TINY, ...options });
  const outputs = Object.fromEntries(nodes.map((node) => [node, node]));
  const net = new models.GraphNet<Heads>(device, { ...graph, outputs }, 1).eval();
  net.loadStateDict(hashed(net), { strict: false });
  return net;
}

function hashed(net: models.GraphNet<Heads>) {
  return Object.fromEntries(
    net.namedParameters().map(([key, { shape }]) => {
      const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
      return [
        key,
        { dtype: "float32", shape, data: uniform(key, shape, shape.length > 1 ? Math.sqrt(6 / fanIn) : 0.1) },
      ];
    }),
  );
}

async function run(net: models.GraphNet<Heads>, shape: readonly number[]) {
  const values = noGrad(() => net.forward(device.rand([...shape], { seed: 5, low: -1, high: 1 })));
  const read = Object.entries(values).map(
    async ([node, t]) => [node, { shape: t.shape, data: await t.data() }] as const,
  );
  return Object.fromEntries(await Promise.all(read));
}

const graph = (name: string, options: Partial<models.ModelOptions> = {}) =>
  models.graphOf(name, { ...TINY, ...options }).graph;
const node = (name: string, of: string) => graph(of).nodes.find((candidate) => candidate.name === name);

describe("fcn8s-atonce-vgg16", () => {
  it("scales the features before they are scored", () => {
    const scales = ["pool4", "pool3"].map((pool) => {
      expect(node(`score_${pool}`, "fcn8s-atonce-vgg16")?.inputs).toEqual([`scale_${pool}`]);
      expect(node(`scale_${pool}`, "fcn8s-atonce-vgg16")?.inputs).toEqual([pool]);
      return node(`scale_${pool}`, "fcn8s-atonce-vgg16")?.layer;
    });
    expect(scales).toEqual([0.01, 0.0001].map((factor) => ({ kind: "scale", factor })));
  });
});

describe("lower pool strides", () => {
  it.each([
    [16, 2],
    [8, 4],
  ])(
    "give, at backbone stride %i and dilated, the same features %i times as densely",
    async (backboneStride, factor) => {
      await device.scope(async () => {
        const shape = [1, 3, 70, 86];
        const [coarse, dense, undilated] = await Promise.all(
          [{}, { backboneStride }, { backboneStride, dilate: false }].map((options) =>
            run(probe("fcn32s-vgg16", { ...options, padding: 110 }, ["fc7"]), shape),
          ),
        );
        const [want, got] = [coarse?.fc7, dense?.fc7];
        const [, channels = 0, rows = 0, columns = 0] = want?.shape ?? [];
        const [, , h = 0, w = 0] = got?.shape ?? [];
        // The last window of the coarse net may hang over the end of the image.
        const [sureRows, sureColumns] = [
          Math.min(rows, Math.ceil(h / factor)),
          Math.min(columns, Math.ceil(w / factor)),
        ];
        expect(sureRows * sureColumns).toBeGreaterThan(2);
        for (let c = 0; c < channels; c++) {
          for (let y = 0; y < sureRows; y++) {
            for (let x = 0; x < sureColumns; x++) {
              const value = want?.data[(c * rows + y) * columns + x] as number;
              expect(got?.data[(c * h + y * factor) * w + x * factor]).toBeCloseTo(value, 4);
            }
          }
        }
        expect(want?.data.some((v) => v > 0.1)).toBe(true);
        expect(undilated?.fc7?.shape).not.toEqual(got?.shape);
      });
    },
  );

  it("keep the weights, and drop the skips that are not finer", () => {
    const scores = (name: string, backboneStride: number) =>
      graph(name, { backboneStride, padding: 110 }).nodes.flatMap(({ name }) =>
        /^(score|up)/.test(name) ? [name] : [],
      );
    expect(scores("fcn32s-vgg16", 16)).toEqual(["score_fr", "upscore", "score"]);
    expect(scores("fcn16s-vgg16", 16)).toEqual(["score_fr", "upscore", "score"]);
    expect(scores("fcn8s-vgg16", 16)).toEqual([
      "score_fr",
      "upscore2",
      "score_pool3",
      "score_pool3c",
      "upscore8",
      "score",
    ]);
    expect(scores("fcn8s-vgg16", 8)).toEqual(["score_fr", "upscore", "score"]);
  });

  it("bring the image back at every size from 32 to 316, for every net and both forms", () => {
    for (const name of [...VGG_NETS, "fcn8s-small"]) {
      for (const options of [{ backboneStride: 16 }, { backboneStride: 8 }, { backboneStride: 16, dilate: false }]) {
        const padding = name.endsWith("small") ? 9 : 110;
        const { outputs, ...rest } = graph(name, { ...options, padding });
        const geometryAt = models.geometryOf({ ...rest, outputs });
        for (let n = 32; n <= 316; n++) {
          const { shapes } = geometryAt(n, 348 - n);
          for (const output of Object.values(outputs)) expect(shapes.get(output)).toEqual([3, n, 348 - n]);
        }
      }
    }
  });

  it("say what is missing where no crop exists", () => {
    expect(() => models.describe("fcn32s-vgg16", { ...TINY, backboneStride: 8, height: 64, width: 64 })).toThrow(
      "crop score: the offset is -5, but it must not be negative",
    );
    expect(() => graph("fcn32s-vgg16", { backboneStride: 4 })).toThrow(/backboneStride is 4, but must be 32, 16 or 8/);
  });
});

describe("max fusion", () => {
  const nodes = ["upscore2", "score_pool4c", "fuse_pool4"];

  it("takes the larger score of each pixel", async () => {
    await device.scope(async () => {
      const { upscore2, score_pool4c, fuse_pool4 } = await run(
        probe("fcn8s-vgg16", { fusion: "max" }, nodes),
        [1, 3, 40, 50],
      );
      const larger = upscore2?.data.map((v, i) => Math.max(v, score_pool4c?.data[i] ?? Number.NaN));
      expect(Array.from(fuse_pool4?.data ?? [])).toEqual(Array.from(larger ?? []));
    });
  });

  it("does not start as the coarser net, which the sum does: scores below zero are lost", async () => {
    await device.scope(async () => {
      for (const fusion of ["sum", "max"] as const) {
        const net = probe("fcn16s-vgg16", { fusion }, nodes);
        const skip = ["weight", "bias"].map((leaf) => net.stateDict()[`score_pool4.${leaf}`] as Tensor);
        for (const parameter of skip) parameter.assign(new Float32Array(parameter.size));
        (net.stateDict()["score_fr.bias"] as Tensor).assign(Float32Array.of(-50, 0, 50));
        const { upscore2, fuse_pool4 } = await run(net, [1, 3, 40, 50]);
        const negative = upscore2?.data.filter((v) => v < 0).length ?? 0;
        expect(negative).toBeGreaterThan(0);
        const kept = fuse_pool4?.data.filter((v) => v < 0).length;
        expect(kept, fusion).toBe(fusion === "sum" ? negative : 0);
      }
    });
  });
});

describe("late fusion of colour and HHA", () => {
  const NETS = [
    ["32s", ["upscore.weight"]],
    ["16s", ["upscore2.weight", "upscore16.weight"]],
    ["8s", ["upscore2.weight", "upscore_pool4.weight", "upscore8.weight"]],
  ] as const;
  const SUFFIXES = ["color", "hha"];

  it("averages the scores of both at every stage, in front of the upsampling", () => {
    const inputs = (name: string) => node(name, "fcn8s-vgg16-hha")?.inputs;
    expect(inputs("score_fused")).toEqual(["score_frcolor_part", "score_frhha_part"]);
    expect(inputs("upscore2")).toEqual(["score_fused"]);
    for (const pool of ["pool4", "pool3"]) {
      expect(inputs(`score_${pool}_fused`)).toEqual([`score_${pool}color_part`, `score_${pool}hha_part`]);
      expect(node(`score_${pool}hha_part`, "fcn8s-vgg16-hha")?.layer).toEqual({ kind: "scale", factor: 0.5 });
      expect(inputs(`score_${pool}hha`)).toEqual([`${pool}hha`]);
      expect(inputs(`score_${pool}_fusedc`)?.[0]).toBe(`score_${pool}_fused`);
    }
    expect(node("score_pool4_fused", "fcn32s-vgg16-hha")).toBeUndefined();
    expect(node("score_pool3_fused", "fcn16s-vgg16-hha")).toBeUndefined();
  });

  it.each(NETS)("crops where the net with one backbone does: %s", (stride) => {
    const offsets = (name: string) =>
      models
        .describe(name, { ...TINY, height: 90, width: 71 })
        .filter(({ kind }) => kind === "crop")
        .map(({ cropOffset, shape }) => ({ cropOffset, shape }));
    const single = offsets(`fcn${stride}-vgg16`);
    const last = { "32s": 19, "16s": 27, "8s": 31 }[stride];
    expect(single.at(-1)).toEqual({ cropOffset: [last, last], shape: [3, 90, 71] });
    expect(offsets(`fcn${stride}-vgg16-hha`)).toEqual(single);
  });

  it.each(NETS)("is the mean of two nets with one backbone: %s", async (stride, upsampling) => {
    await device.scope(async () => {
      const singles = SUFFIXES.map(() => probe(`fcn${stride}-vgg16`, {}, ["score"]));
      // The second net has other weights in every layer.
      const shifted = Object.entries(singles[1]!.stateDict()).filter(([key]) => !key.startsWith("upscore"));
      for (const [key, value] of shifted) value.assign(uniform(`${key} of HHA`, value.shape, 0.1) as Float32Array);
      const double = probe(`fcn${stride}-vgg16-hha`, {}, ["score"]);
      const both = SUFFIXES.flatMap((suffix, i) =>
        Object.entries(singles[i]!.stateDict()).map(([key, value]) => [key.replace(".", `${suffix}.`), value] as const),
      );
      const state = Object.fromEntries(both.filter(([key]) => !key.startsWith("upscore")));
      expect(double.loadStateDict(state, { strict: false })).toMatchObject({ missing: upsampling, unexpected: [] });
      const images = SUFFIXES.map((_, i) => device.rand([1, 3, 33, 40], { seed: i }));
      const parts = await Promise.all(images.map((image) => image.data()));
      const joined = device.tensor(Float32Array.of(...parts[0]!, ...parts[1]!), [1, 6, 33, 40]);
      const scores = singles.map((net, i) => noGrad(() => net.forward(images[i]!)).score as Tensor);
      const [a, b] = await Promise.all(scores.map((score) => score.data()));
      const got = await (noGrad(() => double.forward(joined)).score as Tensor).data();
      const want = Array.from(a!, (value, i) => (value + b![i]!) / 2);
      for (const [i, value] of want.entries()) expect(got[i]).toBeCloseTo(value, 5);
      const differ = (x: ArrayLike<number>) => want.some((value, i) => Math.abs(value - x[i]!) > 0.05);
      expect([differ(a!), differ(b!)]).toEqual([true, true]);
    });
  });

  it("wants an even number of channels", () => {
    for (const [stride] of NETS) {
      expect(() => graph(`fcn${stride}-vgg16-hha`, { inChannels: 5 })).toThrow(/inChannels is 5, but must be an even/);
    }
  });
});

describe("the other variants", () => {
  it("take colour and depth in one backbone under a name of its own", () => {
    expect(node("conv1_1_bgrd", "fcn8s-vgg16-rgbd")?.inputs).toEqual(["data"]);
    expect(graph("fcn16s-vgg16-rgbd").nodes[0]?.layer).toEqual({ kind: "input", channels: 4 });
    expect(node("conv1_1", "fcn8s-vgg16-rgbd")).toBeUndefined();
  });

  it("have two heads of different numbers of classes, both options", () => {
    const rows = models.describe("fcn16s-vgg16-siftflow", {
      numClasses: 33,
      geometricClasses: 4,
      height: 40,
      width: 30,
    });
    const shape = (name: string) => rows.find((row) => row.name === name)?.shape;
    expect([shape("score_sem"), shape("score_geo")]).toEqual([
      [33, 40, 30],
      [4, 40, 30],
    ]);
    expect(() => graph("fcn16s-vgg16", { geometricClasses: 3 })).toThrow(/option geometricClasses is unknown/);
  });
});
