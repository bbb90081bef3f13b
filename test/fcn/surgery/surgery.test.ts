import { bilinearKernel, models, surgery, transplant } from "@fcn/core";
import {
  add,
  concat,
  conv2d,
  createDevice,
  type Device,
  type io,
  matmul,
  nn,
  noGrad,
  slice,
  type Tensor,
} from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { uniform } from "../../support/hash-values.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const host = (name: string, shape: number[], bound = 1): io.HostArray => ({
  dtype: "float32",
  shape,
  data: uniform(name, shape, bound),
});
const tensorOf = ({ data, shape }: io.HostArray): Tensor => device.tensor(data as Float32Array, shape);
const rows = (array: io.HostArray | undefined, row: number): number[] => {
  const count = (array?.data.length ?? 0) / (array?.shape[0] ?? 1);
  return Array.from(array?.data.slice(row * count, (row + 1) * count) ?? [], Number);
};

/** The weights of a net on the host, as a reader would give them. */
async function hostState(net: nn.Module): Promise<Record<string, io.HostArray>> {
  const entries = Object.entries(net.stateDict());
  return Object.fromEntries(
    await Promise.all(
      entries.map(async ([name, tensor]) => {
        const data = (await tensor.data()) as Float32Array<ArrayBuffer>;
        return [name, { dtype: "float32", shape: tensor.shape, data }] as const;
      }),
    ),
  );
}

async function expectClose(a: Tensor, b: Tensor, tolerance: number): Promise<void> {
  expect(a.shape).toEqual(b.shape);
  const [left, right] = [await a.data(), await b.data()];
  expect(Math.max(...left.map(Math.abs))).toBeGreaterThan(tolerance * 10);
  for (const [i, value] of left.entries()) expect(Math.abs(value - (right[i] ?? Number.NaN))).toBeLessThan(tolerance);
}

describe("convolutionalise", () => {
  it("gives the scores of the matrix at the size that it was made for, and a map of them on a larger image", async () => {
    await device.scope(async () => {
      const matrix = host("fc", [5, 3 * 4 * 6], 0.2);
      const kernel = surgery.convolutionalise(matrix, { kernelSize: [4, 6] });
      expect(kernel.shape).toEqual([5, 3, 4, 6]);
      expect(kernel.data).toBe(matrix.data);
      const x = tensorOf(host("features", [1, 3, 4, 6]));
      const scores = matmul(x.reshape([1, 72]), tensorOf(matrix).permute([1, 0]));
      await expectClose(conv2d(x, tensorOf(kernel)).reshape([1, 5]), scores, 1e-5);

      const wide = tensorOf(host("wide", [1, 3, 5, 9]));
      const map = conv2d(wide, tensorOf(kernel));
      const window = slice(wide, [undefined, undefined, [1, 5], [2, 8]]);
      const one = matmul(window.reshape([1, 72]), tensorOf(matrix).permute([1, 0]));
      await expectClose(slice(map, [undefined, undefined, [1, 2], [2, 3]]).reshape([1, 5]), one, 1e-5);
    });
  });

  it("casts the layers of a classifier by name, and leaves those that are convolutions", () => {
    const state = {
      "fc6.weight": host("fc6", [8, 2 * 7 * 7]),
      "fc6.bias": host("fc6 bias", [8]),
      "fc7.weight": host("fc7", [8, 8]),
      "conv.weight": host("conv", [4, 2, 3, 3]),
    };
    const cast = surgery.convolutionaliseState(state, { fc6: 7, fc7: 1, conv: 3 });
    expect(cast["fc6.weight"]?.shape).toEqual([8, 2, 7, 7]);
    expect(cast["fc7.weight"]?.shape).toEqual([8, 8, 1, 1]);
    expect(cast["conv.weight"]).toBe(state["conv.weight"]);
    expect(cast["fc6.bias"]).toBe(state["fc6.bias"]);
    expect(() => surgery.convolutionaliseState(state, { fc8: 1 })).toThrow(/there is no fc8.weight among fc6.weight/);
    expect(() => surgery.convolutionaliseState(state, { fc6: 5 })).toThrow(
      "surgery.convolutionalise: the matrix has shape [8, 98], expected [O, I * 5 * 5]",
    );
    expect(() => surgery.convolutionalise(host("x", [2, 4]), { kernelSize: 0 })).toThrow(/kernelSize is 0/);
  });
});

describe("transplant", () => {
  const TINY = { numClasses: 3, widthMultiplier: 1 / 64 };

  it("turns a classifier into the fully convolutional net: the scores of its matrices", async () => {
    await device.scope(async () => {
      const net = models.create("fcn32s-vgg16", device, { ...TINY, dropout: 0 });
      const shapeOf = (name: string): readonly number[] => net.stateDict()[name]?.shape ?? [];
      const [outputs = 0, inputs = 0] = shapeOf("fc6.weight");
      const classifier = {
        "fc6.weight": host("fc6.weight", [outputs, inputs * 49], 0.2),
        "fc6.bias": host("fc6.bias", [outputs]),
        "fc7.weight": host("fc7.weight", [outputs, outputs], 0.2),
        "fc8.weight": host("fc8.weight", [1000, outputs]),
      };
      const report = transplant(classifier, net);
      expect(report.copied).toEqual(["fc6.bias"]);
      expect(report.reshaped).toEqual(["fc6.weight", "fc7.weight"]);
      expect(report.skipped).toEqual([{ name: "fc8.weight", reason: "the new net has no fc8.weight" }]);
      const features = tensorOf(host("features", [1, inputs, 7, 7]));
      const conv = conv2d(features, net.stateDict()["fc6.weight"] as Tensor);
      const flat = tensorOf(classifier["fc6.weight"]).permute([1, 0]);
      await expectClose(conv.reshape([1, outputs]), matmul(features.reshape([1, inputs * 49]), flat), 1e-5);
    });
  });

  it("copies between nets on the device, into other shapes too, and says what it left out", async () => {
    await device.scope(async () => {
      const made = (inputs: number, kernelSize: number): nn.Sequential =>
        new nn.Sequential(
          new nn.Conv2d(device, inputs, 4, { kernelSize, seed: inputs }),
          new nn.Conv2d(device, 4, inputs, { kernelSize: 1, seed: inputs }),
        );
      const [from, to] = [made(8, 1), made(2, 2)];
      const before = device.memory().liveTensors;
      const { copied, reshaped, skipped } = transplant(from, to);
      expect(device.memory().liveTensors).toBe(before);
      expect(copied).toEqual(["0.bias"]);
      expect(reshaped).toEqual(["0.weight"]);
      expect(skipped).toEqual([
        { name: "1.weight", reason: "[8, 4, 1, 1] does not fit into 1.weight [2, 4, 1, 1]" },
        { name: "1.bias", reason: "[8] does not fit into 1.bias [2]" },
      ]);
      const [source, target] = [from, to].map((net) => net.stateDict()["0.weight"] as Tensor);
      expect(await target?.data()).toEqual(await source?.data());
    });
  });

  it("fills the two backbones of a late fusion by suffix", async () => {
    await device.scope(async () => {
      const builder = new models.GraphBuilder("late");
      const data = builder.add("data", { kind: "input", channels: 6 });
      const backbone = (suffix: string, start: number): string => {
        const part = builder.add(`part${suffix}`, { kind: "slice", start, end: start + 3 }, data);
        return builder.add(`conv1_1${suffix}`, { kind: "conv", outChannels: 2, kernelSize: 3 }, part);
      };
      const fused = builder.add("fuse", { kind: "add" }, backbone("color", 0), backbone("hha", 3));
      const net = new models.GraphNet(device, builder.build({ out: fused }), 1);
      const single = (name: string) => ({
        "conv1_1.weight": host(`${name} weight`, [2, 3, 3, 3]),
        "conv1_1.bias": host(`${name} bias`, [2]),
      });
      const colour = single("colour");
      expect(transplant(colour, net, { suffix: "color" }).copied).toEqual(["conv1_1color.weight", "conv1_1color.bias"]);
      expect(transplant(single("hha"), net, { suffix: "hha" }).copied).toHaveLength(2);
      expect(transplant(colour, net, { suffix: "depth" }).skipped[0]?.reason).toBe(
        "the new net has no conv1_1depth.weight",
      );
      expect(await net.stateDict()["conv1_1color.weight"]?.data()).toEqual(colour["conv1_1.weight"].data);
    });
  });
});

describe("score layers for other classes", () => {
  it("expandScore keeps the scores of the old classes and starts the new ones at zero", async () => {
    await device.scope(async () => {
      const state = { "score_fr.weight": host("w", [3, 4, 1, 1]), "score_fr.bias": host("b", [3]) };
      const wide = surgery.expandScore(state, "score_fr", 5);
      expect(wide["score_fr.weight"]?.shape).toEqual([5, 4, 1, 1]);
      const x = tensorOf(host("x", [1, 4, 2, 3]));
      const scores = (s: surgery.HostState): Tensor =>
        conv2d(x, tensorOf(s["score_fr.weight"] as io.HostArray), tensorOf(s["score_fr.bias"] as io.HostArray));
      const all = scores(wide);
      await expectClose(slice(all, [undefined, [0, 3]]), scores(state), 1e-6);
      expect((await slice(all, [undefined, [3, 5]]).data()).every((value) => value === 0)).toBe(true);
      expect(() => surgery.expandScore(state, "score_fr", 2)).toThrow(
        /numClasses is 2, expected a whole number of at least 3, the classes of score_fr.weight/,
      );
    });
  });

  it("remapScore picks rows in any order", () => {
    const state = { "s.weight": host("w", [3, 2, 1, 1]) };
    const picked = surgery.remapScore(state, "s", [2, undefined, 0, 2]);
    expect(rows(picked["s.weight"], 0)).toEqual(rows(state["s.weight"], 2));
    expect(rows(picked["s.weight"], 1)).toEqual([0, 0]);
    expect(rows(picked["s.weight"], 3)).toEqual(rows(state["s.weight"], 2));
    expect(() => surgery.remapScore(state, "s", [3])).toThrow(
      /classes\[0\] for s.weight \[3, 2, 1, 1\] is 3, expected a whole number from 0 to 2/,
    );
  });

  it("swapHead loads the backbone of a net with other classes and leaves the head as it starts", async () => {
    await device.scope(async () => {
      const make = (numClasses: number, seed: number) =>
        models.create("fcn8s-small", device, { numClasses, widthMultiplier: 0.25, seed, deconv: "learned" });
      const [old, fresh] = [make(7, 1), make(3, 2)];
      const state = await hostState(old);
      const before = await hostState(fresh);
      const swap = surgery.swapHead(state, fresh);
      const heads = ["score_fr", "score_pool4", "score_pool3", "upscore2", "upscore_pool4", "upscore8"];
      expect(new Set(swap.dropped.map((name) => name.split(".")[0]))).toEqual(new Set(heads));
      const report = fresh.loadStateDict(swap.state, { strict: false });
      expect([...report.missing].sort()).toEqual([...swap.dropped].sort());
      const after = await hostState(fresh);
      expect(after["conv5_1.weight"]?.data).toEqual(state["conv5_1.weight"]?.data);
      expect(after["score_fr.weight"]?.data).toEqual(before["score_fr.weight"]?.data);
    });
  });

  it("swapHead carries the scores of chosen classes over, so that the new net scores them as the old one", async () => {
    await device.scope(async () => {
      const make = (numClasses: number, seed: number) =>
        models.create("fcn16s-small", device, { numClasses, widthMultiplier: 0.25, seed }).eval() as models.GraphNet;
      const [old, fresh] = [make(4, 1), make(3, 2)];
      const drawn = Object.entries(old.stateDict())
        .filter(([name]) => name.startsWith("score"))
        .map(([name, { shape }]) => [name, host(name, [...shape])] as const);
      old.loadStateDict(Object.fromEntries(drawn), { strict: false });
      const swap = surgery.swapHead(await hostState(old), fresh, { classes: [3, undefined, 1] });
      expect(swap.remapped).toEqual(drawn.map(([name]) => name));
      fresh.loadStateDict(swap.state, { strict: false });
      const x = tensorOf(host("image", [1, 3, 40, 48]));
      const [a, b] = noGrad(() => [old.forward(x), fresh.forward(x)]);
      const scoreOf = (scores: Tensor, c: number): Tensor => slice(scores, [undefined, [c, c + 1]]);
      await expectClose(scoreOf(b, 0), scoreOf(a, 3), 1e-5);
      await expectClose(scoreOf(b, 2), scoreOf(a, 1), 1e-5);
      expect((await scoreOf(b, 1).data()).every((value) => value === 0)).toBe(true);
    });
  });

  it("swapHead finds the heads of torchvision's net", async () => {
    await device.scope(async () => {
      const options = { widthMultiplier: 1 / 32 };
      const old = models.create<Record<"out" | "aux", Tensor>>("fcn_resnet50", device, { ...options, numClasses: 21 });
      const fresh = models.create<Record<"out" | "aux", Tensor>>("fcn_resnet50", device, { ...options, numClasses: 2 });
      const { dropped } = surgery.swapHead(await hostState(old), fresh);
      expect([...dropped].sort()).toEqual([
        "aux_classifier.4.bias",
        "aux_classifier.4.weight",
        "classifier.4.bias",
        "classifier.4.weight",
      ]);
    });
  });
});

describe("input channels", () => {
  const state = { "conv1_1.weight": host("conv1_1", [4, 3, 3, 3]), "conv1_1.bias": host("bias", [4]) };
  const run = (s: surgery.HostState, x: Tensor, layer = "conv1_1"): Tensor =>
    conv2d(x, tensorOf(s[`${layer}.weight`] as io.HostArray), tensorOf(s[`${layer}.bias`] as io.HostArray));
  const channel = (x: Tensor, c: number): Tensor => slice(x, [undefined, [c, c + 1]]);

  it("flipped take images with red and blue exchanged, and twice flipped are as before", async () => {
    await device.scope(async () => {
      const x = tensorOf(host("image", [2, 3, 5, 6]));
      const bgr = concat([channel(x, 2), channel(x, 1), channel(x, 0)], { dim: 1 });
      const flipped = surgery.flipInputChannels(state, "conv1_1");
      await expectClose(run(flipped, bgr), run(state, x), 1e-5);
      expect(surgery.flipInputChannels(flipped, "conv1_1")).toEqual(state);
      const four = surgery.addMeanChannel(state, "conv1_1");
      const again = surgery.flipInputChannels(four, "conv1_1")["conv1_1.weight"];
      expect(again?.data.slice(27, 36)).toEqual(four["conv1_1.weight"]?.data.slice(27, 36));
    });
  });

  it("with a fourth one respond to it as to the mean of the other three", async () => {
    await device.scope(async () => {
      const wide = surgery.addMeanChannel(state, "conv1_1", { as: "conv1_1_bgrd" });
      expect(Object.keys(wide).sort()).toEqual(["conv1_1_bgrd.bias", "conv1_1_bgrd.weight"]);
      expect(wide["conv1_1_bgrd.weight"]?.shape).toEqual([4, 4, 3, 3]);
      const x = tensorOf(host("image", [1, 3, 5, 6]));
      const depth = tensorOf(host("depth", [1, 1, 5, 6]));
      const got = run(wide, concat([x, depth], { dim: 1 }), "conv1_1_bgrd");
      // The mean kernel on depth is the sum of the three kernels on a third of it.
      const third = tensorOf({
        ...host("depth", [1, 1, 5, 6]),
        data: uniform("depth", [1, 1, 5, 6], 1).map((v) => v / 3),
      });
      const spread = concat([third, third, third], { dim: 1 });
      const weight = tensorOf(state["conv1_1.weight"]);
      const want = [run(state, x), conv2d(spread, weight)] as const;
      await expectClose(got, add(...want), 1e-5);
    });
  });

  it("are those of a convolution on images", () => {
    const matrix = { "fc.weight": host("fc", [4, 12]) };
    expect(() => surgery.flipInputChannels(matrix, "fc")).toThrow(
      "surgery.flipInputChannels: fc.weight has shape [4, 12], expected [O, 3, kh, kw] or more channels",
    );
    expect(() => surgery.addMeanChannel(matrix, "conv1_1")).toThrow(/there is no conv1_1.weight among fc.weight/);
  });
});

describe("channelwiseUpsampling", () => {
  it("keeps the diagonal of a dense blob, and refuses one that mixes classes", () => {
    const dense = bilinearKernel(3, 3, 4);
    const state = { "upscore.weight": dense };
    expect(surgery.channelwiseUpsampling(state, "upscore")["upscore.weight"]).toEqual(bilinearKernel(3, 1, 4));
    const narrow = { "upscore.weight": bilinearKernel(3, 1, 4) };
    expect(surgery.channelwiseUpsampling(narrow, "upscore")).toBe(narrow);
    const mixed = { ...dense, data: dense.data.slice() };
    mixed.data[16] = 0.25;
    expect(() => surgery.channelwiseUpsampling({ "upscore.weight": mixed }, "upscore")).toThrow(/mixes classes/);
    expect(() => surgery.channelwiseUpsampling({ "a.weight": host("a", [3, 2, 4, 4]) }, "a")).toThrow(
      /a.weight has shape \[3, 2, 4, 4\], expected \[C, C, k, k\]/,
    );
  });
});
