import { coordinates, models } from "@fcn/core";
import { createDevice, crossEntropy, type Device, noGrad, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readGolden } from "../../../support/golden.js";
import type { StartEntry } from "../../../support/hash-values.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const BACKBONES = [
  "resnet18",
  "resnet34",
  "resnet50",
  "resnet101",
  "mobilenetv2",
  "mobilenetv3large",
  "inceptionv3",
  "googlenet",
  "googlenet-bvlc",
  "alexnet-torchvision",
  "vgg16-torchvision",
];
const TINY = { numClasses: 3, widthMultiplier: 1 / 64 };
const named = (prefix: string): string[] => models.list().filter((name) => name.startsWith(prefix));

/** Name and shape of every entry that torchvision's net has in the golden file. */
function torchvisionEntries(net: string): Map<string, string> {
  const golden = JSON.parse(readGolden("torchvision_nets").metadata.golden ?? "{}") as {
    nets: Record<string, { entries: StartEntry[] }>;
  };
  return new Map((golden.nets[net]?.entries ?? []).map(([name, shape]) => [name, shape.join("x")]));
}

const stateOf = (name: string, options: object = {}): Map<string, string> => {
  const state = models.create(name, device, { numClasses: 21, ...options }).stateDict();
  return new Map(Object.entries(state).map(([key, tensor]) => [key, tensor.shape.join("x")]));
};

/** The entries of the backbone without `backbone.`, and the other keys. */
function split(state: Map<string, string>): { own: Record<string, string>; rest: string[] } {
  const own = [...state].filter(([key]) => key.startsWith("backbone."));
  return {
    own: Object.fromEntries(own.map(([key, shape]) => [key.slice("backbone.".length), shape])),
    rest: [...state.keys()].filter((key) => !key.startsWith("backbone.")),
  };
}

describe("models on backbones", () => {
  it("exist for every stride", () => {
    for (const backbone of BACKBONES) {
      for (const stride of [32, 16, 8]) expect(models.list()).toContain(`fcn${stride}s-${backbone}`);
    }
    expect(named("fcn4s-").length).toBe(10);
  });

  it.each([
    ["resnet18", "resnet18"],
    ["mobilenetv2", "mobilenet_v2"],
    ["googlenet", "googlenet"],
    ["inceptionv3", "inception_v3"],
  ])("on %s have torchvision's names and shapes after backbone.", async (backbone, net) => {
    await device.scope(async () => {
      const { own, rest } = split(stateOf(`fcn16s-${backbone}`));
      expect(own).toEqual(Object.fromEntries(torchvisionEntries(net)));
      expect(rest.map((key) => key.replace(/score_(?!fr)[^.]*/, "score_STAGE")).sort()).toEqual([
        "score_STAGE.bias",
        "score_STAGE.weight",
        "score_fr.bias",
        "score_fr.weight",
        "upscore16.weight",
        "upscore2.weight",
      ]);
    });
  });

  it.each([
    ["alexnet-torchvision", "alexnet", { "classifier.1": [256, 6], "classifier.4": [4096, 1] }],
    ["vgg16-torchvision", "vgg16", { "classifier.0": [512, 7], "classifier.3": [4096, 1] }],
  ] as const)("on %s have the linear layers as convolutions under their names", (backbone, net, cast) => {
    const rows = models.describe(`fcn32s-${backbone}`, { numClasses: 21, height: 64, width: 64 });
    const byName = new Map(rows.map((row) => [row.name, row]));
    for (const [key, shape] of torchvisionEntries(net)) {
      if (!key.endsWith(".weight")) continue;
      const row = byName.get(`backbone.${key.replace(".weight", "")}`);
      expect(row?.kind, key).toBe("conv");
      expect(row?.shape[0], key).toBe(Number(shape.split("x")[0]));
    }
    for (const [name, [channels]] of Object.entries(cast)) {
      const row = byName.get(`backbone.${name}`);
      expect(row?.shape[0]).toBe(4096);
      expect(byName.get(row?.inputs[0] ?? "")?.shape[0]).toBe(channels);
    }
  });

  it("take the weight of a fully connected layer, from the host or the device", async () => {
    await device.scope(async () => {
      const net = models.create("fcn32s-alexnet-torchvision", device, TINY);
      const key = "backbone.classifier.1.weight";
      const [out = 0, inputs = 0, kh = 0, kw = 0] = net.stateDict()[key]?.shape ?? [];
      const data = Float32Array.from({ length: out * inputs * kh * kw }, (_, i) => i);
      const shape = [out, inputs * kh * kw];
      net.loadStateDict({ [key]: { dtype: "float32", shape, data } }, { strict: false });
      expect(await net.stateDict()[key]?.data()).toEqual(data);
      net.loadStateDict(
        {
          [key]: device.tensor(
            data.map((v) => -v),
            shape,
          ),
        },
        { strict: false },
      );
      expect(await net.stateDict()[key]?.data()).toEqual(data.map((v) => -v));
      const wrong = { dtype: "float32", shape: [out, 3], data: new Float32Array(out * 3) };
      expect(() => net.loadStateDict({ [key]: wrong })).toThrow(/of the wrong shape/);
      expect(net.loadStateDict({ [key]: wrong }, { strict: false }).skipped).toEqual([key]);
    });
  });

  it.each(BACKBONES.flatMap((name) => named("fcn").filter((model) => model.endsWith(`s-${name}`))))(
    "%s returns logits of the size of the image, at the start 0 with the loss ln C",
    async (name) => {
      await device.scope(async () => {
        const net = models.create<Tensor>(name, device, { ...TINY, numClasses: 4 }).eval();
        for (const [h, w] of [
          [1, 1],
          [47, 33],
        ] as const) {
          const target = device.tensor(
            Int32Array.from({ length: h * w }, (_, i) => i % 4),
            [1, h, w],
            { dtype: "int32" },
          );
          const logits = noGrad(() => net.forward(device.rand([1, 3, h, w], { seed: 7 })));
          expect(logits.shape).toEqual([1, 4, h, w]);
          expect(await crossEntropy(logits, target).item()).toBeCloseTo(Math.log(4), 5);
        }
      });
    },
  );

  it("train: every parameter of a net with scores gets a gradient, with TensorFlow's padding too", async () => {
    for (const [name, options] of [
      ["fcn8s-mobilenetv2", { samePadding: true, bnEps: 1e-3 }],
      ["fcn8s-mobilenetv3large", {}],
      ["fcn8s-inceptionv3", { samePadding: true, lastStage: "Mixed_6e" }],
      ["fcn8s-googlenet", {}],
      ["fcn16s-resnet50", {}],
    ] as const) {
      await device.scope(async () => {
        const net = models.create(name, device, { ...TINY, ...options, seed: 3 });
        const state = net.stateDict();
        for (const key of Object.keys(state).filter((k) => /^score.*weight$/.test(k))) {
          const { shape } = state[key] as Tensor;
          net.loadStateDict({ [key]: device.randn(shape, { seed: 1 }) }, { strict: false });
        }
        const target = device.tensor(
          Int32Array.from({ length: 2 * 50 * 45 }, (_, i) => Math.floor(i / 700) % 3),
          [2, 50, 45],
          { dtype: "int32" },
        );
        crossEntropy(net.forward(device.rand([2, 3, 50, 45], { seed: 5 })), target).backward();
        for (const [key, parameter] of net.namedParameters()) {
          const grad = await parameter.grad?.data();
          expect(grad?.every(Number.isFinite), `${name} ${key}`).toBe(true);
        }
        const learned = net.namedParameters().filter(([key]) => key.startsWith("score"));
        for (const [key, parameter] of learned) {
          expect(
            (await parameter.grad?.data())?.some((v) => v !== 0),
            `${name} ${key}`,
          ).toBe(true);
        }
      });
    }
  });
});

describe("the geometry of FCN-AlexNet and FCN-GoogLeNet", () => {
  const graph = (name: string, options: object = {}): models.Graph =>
    models.graphOf(name, { numClasses: 2, ...options }).graph;
  const offset = (name: string, options: object = {}): number | undefined =>
    coordinates.cropOffsets(graph(name, options)).get("score")?.[0];
  const kernel = (name: string, options: object = {}): unknown => {
    const layer = graph(name, options).nodes.find((node) => node.name === "upscore")?.layer;
    return layer?.kind === "convTranspose" ? layer.kernelSize : undefined;
  };

  it("follows from the layers: kernel 63, and the published offsets", () => {
    expect([kernel("fcn32s-alexnet"), offset("fcn32s-alexnet")]).toEqual([63, 18]);
    expect([kernel("fcn32s-alexnet-torchvision"), offset("fcn32s-alexnet-torchvision")]).toEqual([63, 18]);
    expect(offset("fcn32s-googlenet-bvlc", { padding: 3 })).toBe(1);
    expect(offset("fcn32s-googlenet-bvlc", { padding: 100 })).toBe(98);
    expect([kernel("fcn32s-googlenet"), offset("fcn32s-googlenet", { padding: 3 })]).toEqual([63, 9]);
    expect([kernel("fcn32s-vgg16"), offset("fcn32s-vgg16")]).toEqual([64, 19]);
  });

  it("gives the smallest image that a native padding leaves", () => {
    const fits = (name: string, n: number): boolean => {
      try {
        return models.inferShapes(graph(name, { padding: 3 }), n, n).has("score");
      } catch {
        return false;
      }
    };
    for (let n = 1; n <= 200; n++) {
      expect(fits("fcn32s-googlenet-bvlc", n), `BVLC ${n}`).toBe(n >= 31);
      expect(fits("fcn32s-googlenet", n), `torchvision ${n}`).toBe(n >= 15);
    }
  });

  it("has the receptive fields of the paper's table 1", () => {
    const field = (name: string, node: string): number | undefined =>
      models.describe(name, { numClasses: 2, height: 500, width: 500 }).find((row) => row.name === node)
        ?.receptiveField;
    expect(field("fcn32s-alexnet", "fc6")).toBe(355);
    // 907 with the average pool 7x7, which is left out.
    expect((field("fcn32s-googlenet-bvlc", "score_fr") ?? 0) + 6 * 32).toBe(907);
  });

  it("fades only where the upsampling has nothing beside it", async () => {
    await device.scope(async () => {
      /** The response along a middle row to a score that is 1 in every cell. */
      const row = async (name: string, n: number): Promise<number[]> => {
        const net = models.create<Tensor>(name, device, { numClasses: 1, widthMultiplier: 1 / 64 }).eval();
        const one = { dtype: "float32", shape: [1], data: Float32Array.of(1) };
        net.loadStateDict({ "score_fr.bias": one }, { strict: false });
        const logits = await noGrad(() => net.forward(device.zeros([1, 3, n, n]))).data();
        const middle = Math.floor(n / 2);
        return Array.from(logits.slice(middle * n, (middle + 1) * n));
      };
      const faded = (values: number[]) => values.flatMap((v, i) => (Math.abs(v - 1) > 1e-5 ? [i] : []));
      const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
      const vgg = await row("fcn32s-vgg16", 256);
      expect(faded(vgg)).toEqual(upTo(0, 13));
      expect(vgg[0]).toBeCloseTo(0.609, 3);
      // Cells lie on pixels 0, 32, 64, 96.
      const resnet = await row("fcn32s-resnet18", 100);
      expect(faded(resnet)).toEqual(upTo(97, 100));
      expect(resnet[99]).toBeCloseTo(1 - 3 / 32, 5);
      expect(faded(await row("fcn32s-inceptionv3", 97))).toEqual([]);
    });
  });

  it("lets ceil mode decide whether torchvision's AlexNet has a crop", () => {
    const { alexNetBackbone } = models.backbones;
    const failing = (ceilMode: boolean): number => {
      const spec = { prefix: "", padding: 100, ceilMode, dropout: 0, widthMultiplier: 1 };
      const built = models.buildFcn((builder, input) => alexNetBackbone(builder, input, spec), {
        numClasses: 2,
        outputStride: 32,
      });
      const at = models.geometryOf(built);
      const fails = (n: number): boolean => {
        try {
          return at(n, n) === undefined;
        } catch {
          return true;
        }
      };
      return Array.from({ length: 2000 }, (_, i) => i + 1).filter(fails).length;
    };
    expect([failing(false), failing(true)]).toEqual([822, 0]);
  });

  it("keeps MobileNetV2 with TensorFlow's padding at the size of the image for every side from 1 to 600", () => {
    for (const stride of [32, 16, 8, 4]) {
      const at = models.geometryOf(graph(`fcn${stride}s-mobilenetv2`, { samePadding: true }));
      for (let n = 1; n <= 600; n++) expect(at(n, 601 - n).shapes.get("score")).toEqual([2, n, 601 - n]);
    }
  });
});

describe("models.buildFcn", () => {
  const conv = (kernelSize: number | [number, number], stride: number, padding = 0): models.Layer => ({
    kind: "conv",
    outChannels: 4,
    kernelSize,
    stride,
    padding,
  });
  const chain =
    (...layers: [string, models.Layer][]): models.backbones.BackboneBuilder =>
    (builder, input) => {
      const stages: Record<string, string> = {};
      let last = input;
      for (const [name, layer] of layers) {
        last = builder.add(name, layer, last);
        stages[name] = last;
      }
      return { stages, top: last };
    };

  it("makes a net of any backbone", async () => {
    await device.scope(async () => {
      const backbone = chain(["half", conv(3, 2, 1)], ["quarter", conv(3, 2, 1)], ["wide", conv(3, 1, 1)]);
      const graph = models.buildFcn(backbone, { numClasses: 2, outputStride: 2, inChannels: 1, deconv: "learned" });
      const net = new models.GraphNet(device, graph, 1);
      for (const [h, w] of [
        [1, 1],
        [13, 6],
      ] as const) {
        expect(net.forward(device.rand([2, 1, h, w], { seed: 1 })).shape).toEqual([2, 2, h, w]);
      }
      expect(net.namedParameters().map(([key]) => key)).toContain("upscore_half.weight");
      expect(graph.nodes.map(({ name }) => name)).toEqual([
        "data",
        "half",
        "quarter",
        "wide",
        "score_fr",
        "upscore2",
        "score_half",
        "upscore2c",
        "fuse_half",
        "upscore_half",
        "score",
      ]);
    });
  });

  it("says which features are missing", () => {
    const backbone = chain(["half", conv(3, 2, 1)], ["eighth", conv(3, 4, 1)]);
    const build = (outputStride: number) => () => models.buildFcn(backbone, { numClasses: 2, outputStride });
    expect(build(2)).toThrow(
      "graph fcn: the backbone has no features of stride 4 to score; it has half (2), eighth (8) and the top (8)",
    );
    expect(build(16)).toThrow("graph fcn: the backbone has no features of stride 16 to score");
    expect(build(8)).not.toThrow();
  });

  it("refuses where no whole crop offset exists", () => {
    const uneven = chain(["half", conv([2, 1], 2)]);
    expect(() => models.geometryOf(models.buildFcn(uneven, { numClasses: 2, outputStride: 2 }))).toThrow(
      "crop score: the offset is 3/2, but it must be an integer",
    );
    const thirds = chain(["half", conv(3, 2, 1)]);
    const skips = [{ stage: "third" }];
    const branch: models.backbones.BackboneBuilder = (builder, input) => ({
      ...thirds(builder, input),
      stages: { third: builder.add("third", conv(3, 3, 1), input) },
    });
    expect(() => models.buildFcn(branch, { numClasses: 2, outputStride: 3, skips })).toThrow(
      "no bilinear kernel brings one onto whole pixels of the other",
    );
    expect(() => models.create("fcn32s-inceptionv3", device, { ...TINY, padding: 0 })).toThrow(
      "crop score: the offset is -6, but it must not be negative",
    );
  });
});
