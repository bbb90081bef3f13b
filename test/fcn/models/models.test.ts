import { readFileSync } from "node:fs";
import { bilinearKernel, models } from "@fcn/core";
import { createDevice, crossEntropy, type Device, nn, noGrad, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";

let device: Device;
beforeAll(async () => {
  device = await createDevice();
});
afterAll(() => device?.destroy());

const VGG_NETS = ["fcn32s-vgg16", "fcn16s-vgg16", "fcn8s-vgg16", "fcn8s-atonce-vgg16"];
const TINY = { numClasses: 3, widthMultiplier: 1 / 64 };

/** Name and shape of every entry of the published state dict. */
function published(name: string): Map<string, string> {
  const text = readFileSync(new URL(`../fixtures/${name}.tsv`, import.meta.url), "utf8");
  return new Map(
    text
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.split("\t") as [string, string]),
  );
}

const shapeText = (tensor: { shape: readonly number[] }): string => tensor.shape.join("x") || "scalar";
const photo = (n: number, h: number, w: number): Tensor => device.rand([n, 3, h, w], { seed: 7 });

async function values(net: nn.Module, key: string): Promise<number[]> {
  return Array.from(await (net.stateDict()[key] as Tensor).data());
}

describe("the type of a net by its name", () => {
  it("is a record of heads exactly where there are several", () => {
    const heads: { readonly [Name in keyof models.SeveralHeads]: readonly models.SeveralHeads[Name][] } = {
      fcn_resnet50: ["out", "aux"],
      fcn_resnet101: ["out", "aux"],
      deeplabv3_resnet50: ["out", "aux"],
      deeplabv3_resnet101: ["out", "aux"],
      deeplabv3_mobilenet_v3_large: ["out", "aux"],
      "fcn32s-vgg16-siftflow": ["sem", "geo"],
      "fcn16s-vgg16-siftflow": ["sem", "geo"],
      "fcn8s-vgg16-siftflow": ["sem", "geo"],
    };
    for (const name of models.list()) {
      const outputs = Object.keys(models.graphOf(name, { numClasses: 2 }).graph.outputs);
      expect(outputs.length > 1 ? outputs.sort() : [], name).toEqual([...(heads[name as never] ?? [])].sort());
    }
    const { create } = models;
    expectTypeOf(() => create("fcn_resnet50", device, TINY).forward).returns.returns.toEqualTypeOf<
      Record<"out" | "aux", Tensor>
    >();
    const one = { ...TINY, auxLoss: false } as const;
    expectTypeOf(() => create("fcn_resnet50", device, one).forward).returns.returns.toEqualTypeOf<Tensor>();
    expectTypeOf(() => create("fcn8s-vgg16", device, TINY).forward).returns.returns.toEqualTypeOf<Tensor>();
    const inPlace = () => create("fcn_resnet50", device, { numClasses: 2, auxLoss: false }).forward;
    expectTypeOf(inPlace).returns.returns.toEqualTypeOf<Tensor>();
    const atRunTime = { ...TINY, auxLoss: TINY.numClasses > 2 };
    type Either = Tensor | Record<"out" | "aux", Tensor>;
    expectTypeOf(() => create("fcn_resnet50", device, atRunTime).forward).returns.returns.toEqualTypeOf<Either>();
    const name = models.list()[0] as string;
    expectTypeOf(() => create(name, device, TINY).forward).returns.returns.toEqualTypeOf<models.NetOutput>();
    expectTypeOf(() => create<Tensor>(name, device, TINY).forward).returns.returns.toEqualTypeOf<Tensor>();
  });
});

describe("state dicts", () => {
  it.each(["fcn32s-vgg16", "fcn16s-vgg16", "fcn8s-vgg16"])(
    "of %s has the published names, and at full width the shapes",
    async (name) => {
      await device.scope(async () => {
        const tiny = models.create(name, device, TINY).stateDict();
        expect(Object.keys(tiny).sort()).toEqual([...published(name).keys()].sort());
      });
      // fc6 alone holds 392 MiB, so the shapes are read off the layers.
      const rows = models.describe(name, { numClasses: 21, height: 64, width: 64 });
      const channels = new Map(rows.map((row) => [row.name, row.shape[0]]));
      for (const [key, shape] of published(name)) {
        const row = rows.find((candidate) => candidate.name === key.split(".")[0]);
        const input = channels.get(row?.inputs[0] ?? "");
        const [out, perGroup] = shape.split("x").map(Number);
        expect(row?.shape[0], key).toBe(out);
        if (perGroup !== undefined) expect(input, key).toBe(perGroup);
      }
    },
  );

  it("of d2l-resnet18 has the published names and shapes", async () => {
    await device.scope(async () => {
      const state = models.create("d2l-resnet18", device, { numClasses: 21 }).stateDict();
      const own = new Map(Object.entries(state).map(([key, tensor]) => [key, shapeText(tensor)]));
      const counters = [...own.keys()].some((key) => key.endsWith("num_batches_tracked"));
      const wanted = [...published("d2l-resnet18")].filter(([key]) => counters || !key.endsWith("num_batches_tracked"));
      expect(Object.fromEntries(own)).toEqual(Object.fromEntries(wanted));
    });
  });

  it("of a net with batch norm has conv1_1_bn.* and no bias in front of it", async () => {
    await device.scope(async () => {
      const keys = Object.keys(models.create("fcn32s-vgg16", device, { ...TINY, batchNorm: true }).stateDict());
      expect(keys).toContain("conv1_1_bn.running_mean");
      expect(keys).toContain("fc7_bn.weight");
      expect(keys).not.toContain("conv1_1.bias");
    });
  });
});

describe("forward", () => {
  it.each(VGG_NETS)("of %s returns logits of the size of the image", async (name) => {
    await device.scope(async () => {
      const net = models.create(name, device, TINY);
      net.eval();
      for (const [h, w] of [
        [1, 1],
        [33, 64],
        [47, 95],
      ] as const) {
        const logits = noGrad(() => net.forward(photo(1, h, w)));
        expect(logits.shape).toEqual([1, 3, h, w]);
      }
    });
  });

  it.each(["fcn32s-small", "fcn16s-small", "fcn8s-small", "d2l-resnet18"])("of %s too", async (name) => {
    await device.scope(async () => {
      const net = models.create(name, device, { numClasses: 4, widthMultiplier: 0.125 });
      net.eval();
      for (const [h, w] of [
        [1, 1],
        [31, 33],
        [100, 65],
      ] as const) {
        const logits = noGrad(() => net.forward(photo(2, h, w)));
        expect(logits.shape).toEqual([2, 4, h, w]);
      }
    });
  });

  it("frees the features of every layer when no gradient is recorded", async () => {
    await device.scope(async () => {
      const net = models.create("fcn8s-small", device, { numClasses: 3, widthMultiplier: 0.25 });
      net.eval();
      const x = photo(1, 64, 64);
      const before = device.memory().liveTensors;
      const logits = noGrad(() => net.forward(x));
      expect(device.memory().liveTensors - before).toBe(1);
      expect((await logits.data()).length).toBe(3 * 64 * 64);
      expect((await x.data()).length).toBe(3 * 64 * 64);
    });
  });

  it("refuses images of the wrong rank, channel number or size", async () => {
    await device.scope(async () => {
      const net = models.create("fcn32s-vgg16", device, { ...TINY, padding: 81 });
      expect(() => net.forward(device.zeros([3, 64, 64]))).toThrow(
        "fcn32s-vgg16: the input has shape [3, 64, 64], but must be [N, 3, H, W]",
      );
      expect(() => net.forward(device.zeros([1, 4, 64, 64]))).toThrow(/must be \[N, 3, H, W\]/);
      expect(() => net.forward(device.zeros([1, 3, 8, 8]))).toThrow(
        /conv fc6, image 8x8: its output from 6x6 would be 0x0/,
      );
    });
  });
});

describe("initial values", () => {
  it.each([...VGG_NETS, "fcn8s-small"])("give %s the loss ln C on any image", async (name) => {
    await device.scope(async () => {
      const net = models.create<Tensor>(name, device, { ...TINY, numClasses: 21 });
      const target = device.tensor(
        Int32Array.from({ length: 40 * 50 }, (_, i) => (i % 22 === 21 ? 255 : i % 22)),
        [1, 40, 50],
        {
          dtype: "int32",
        },
      );
      const loss = await crossEntropy(net.forward(photo(1, 40, 50)), target).item();
      expect(loss).toBeCloseTo(Math.log(21), 5);
    });
  });

  it("depend on the seed and on nothing else", async () => {
    await device.scope(async () => {
      const make = (seed: number) => models.create("fcn8s-vgg16", device, { ...TINY, seed });
      const [a, b, c] = [make(1), make(1), make(2)];
      expect(await values(a, "fc6.weight")).toEqual(await values(b, "fc6.weight"));
      expect(await values(a, "fc6.weight")).not.toEqual(await values(c, "fc6.weight"));
      expect(await values(a, "conv5_1.weight")).not.toEqual(await values(a, "conv5_2.weight"));
    });
  });

  it("have the spread of the rule: He's normal in the backbone, Glorot's uniform in d2l's 1x1", async () => {
    await device.scope(async () => {
      const net = models.create("d2l-resnet18", device, { numClasses: 21 });
      const backbone = await values(net, "5.0.conv2.weight");
      const deviation = Math.sqrt(backbone.reduce((sum, w) => sum + w * w, 0) / backbone.length);
      expect(deviation / Math.sqrt(2 / (128 * 9))).toBeCloseTo(1, 1);
      const bound = Math.sqrt(6 / (512 + 21));
      const score = (await values(net, "final_conv.weight")).map(Math.abs);
      expect(Math.max(...score)).toBeLessThanOrEqual(bound);
      expect(Math.max(...score)).toBeGreaterThan(0.98 * bound);
      expect(await values(net, "transpose_conv.weight")).toEqual(Array.from(bilinearKernel(21, 21, 64).data));
    });
  });

  it.each([
    ["fcn16s-googlenet", "backbone.conv3.conv.weight", 0.01],
    ["fcn16s-inceptionv3", "backbone.Mixed_5b.branch3x3dbl_2.conv.weight", 0.1],
  ])("are those of torchvision in %s: a normal distribution", async (name, weight, deviation) => {
    await device.scope(async () => {
      const w = await values(models.create(name, device, { numClasses: 2, widthMultiplier: 0.5 }), weight);
      expect(Math.sqrt(w.reduce((sum, value) => sum + value * value, 0) / w.length) / deviation).toBeCloseTo(1, 1);
    });
  });
});

describe("upsampling layers", () => {
  it("are fixed and channel-wise unless asked for", async () => {
    await device.scope(async () => {
      const named = (options: object): string[] =>
        [...models.create("fcn8s-vgg16", device, { ...TINY, ...options }).namedParameters()].map(([name]) => name);
      expect(named({}).filter((name) => name.startsWith("up"))).toEqual([]);
      const learned = ["upscore2.weight", "upscore_pool4.weight", "upscore8.weight"];
      expect(named({ deconv: "learned" }).filter((name) => name.startsWith("up"))).toEqual(learned);
      const shape = (options: object): string | undefined =>
        models
          .create("fcn8s-vgg16", device, { ...TINY, ...options })
          .stateDict()
          ["upscore8.weight"]?.shape.join("x");
      expect(shape({})).toBe("3x1x16x16");
      expect(shape({ deconv: "learned", dense: true })).toBe("3x3x16x16");
    });
  });

  it("take the published dense blob in either form, and refuse one that mixes classes", async () => {
    await device.scope(async () => {
      const net = models.create("fcn32s-vgg16", device, { ...TINY });
      const blob = bilinearKernel(3, 3, 64);
      const halved = { ...blob, data: blob.data.map((w) => w / 2) };
      net.loadStateDict({ "upscore.weight": halved }, { strict: false });
      expect(await values(net, "upscore.weight")).toEqual(Array.from(bilinearKernel(3, 1, 64).data, (w) => w / 2));

      const dense = models.create("fcn32s-vgg16", device, { ...TINY, dense: true });
      dense.loadStateDict({ "upscore.weight": bilinearKernel(3, 1, 64) }, { strict: false });
      expect(await values(dense, "upscore.weight")).toEqual(Array.from(blob.data));

      const mixed = { ...blob, data: blob.data.slice() };
      mixed.data[64 * 64 + 5] = 0.5;
      expect(() => net.loadStateDict({ "upscore.weight": mixed }, { strict: false })).toThrow(
        "loadStateDict upscore.weight: shape [3, 3, 64, 64] mixes classes (class 0 to 1 has the weight 0.5)",
      );
    });
  });

  it("give the same scores dense and channel-wise", async () => {
    await device.scope(async () => {
      const [narrow, dense] = [false, true].map((wide) =>
        models.create("fcn8s-vgg16", device, { ...TINY, dense: wide, seed: 3 }),
      );
      const bias = { "score_fr.bias": { dtype: "float32" as const, shape: [3], data: Float32Array.of(1, -2, 3) } };
      const [a, b] = await Promise.all(
        [narrow, dense].map((net) => {
          net?.loadStateDict(bias, { strict: false });
          net?.eval();
          return noGrad(() => (net as nn.Module).forward(photo(1, 20, 30)) as Tensor).data();
        }),
      );
      expect(Math.max(...(a ?? []))).toBeGreaterThan(1);
      for (const [i, value] of (a ?? []).entries()) expect(b?.[i]).toBeCloseTo(value, 5);
    });
  });
});

describe("the staged recipe", () => {
  it.each([
    ["vgg16", 3, [""]],
    ["small", 3, [""]],
    ["vgg16-hha", 6, ["color", "hha"]],
  ] as const)("starts each finer net on %s as the coarser one that it loads", async (backbone, channels, parts) => {
    await device.scope(async () => {
      const options = { numClasses: 3, widthMultiplier: backbone === "small" ? 0.25 : 1 / 64 };
      const coarse = models.create(`fcn16s-${backbone}`, device, { ...options, seed: 1 });
      const score = { dtype: "float32" as const, shape: [3], data: Float32Array.of(1, -2, 3) };
      const named = (...layers: string[]) =>
        layers.flatMap((layer) => parts.map((part) => layer.replace(".", `${part}.`)));
      const biases = named("score_fr.bias", "score_pool4.bias");
      coarse.loadStateDict(Object.fromEntries(biases.map((bias) => [bias, score])), { strict: false });
      const fine = models.create(`fcn8s-${backbone}`, device, { ...options, seed: 2 });
      const { missing, unexpected } = fine.loadStateDict(coarse.stateDict(), { strict: false });
      expect([...missing].sort()).toEqual(
        [...named("score_pool3.weight", "score_pool3.bias"), "upscore8.weight", "upscore_pool4.weight"].sort(),
      );
      expect(unexpected).toEqual(["upscore16.weight"]);
      for (const key of [...named("conv1_1.weight"), ...biases]) {
        expect(await values(fine, key)).toEqual(await values(coarse, key));
      }
      // In the middle of the image both upsample a constant, which stays one.
      const centre = async (net: nn.Module): Promise<number[]> => {
        net.eval();
        const logits = noGrad(() => net.forward(device.zeros([1, channels, 128, 128])) as Tensor);
        const data = await logits.data();
        return [0, 1, 2].map((c) => data[(c * 128 + 64) * 128 + 64] ?? Number.NaN);
      };
      const [a, b] = [await centre(coarse), await centre(fine)];
      for (const [c, expected] of [2, -4, 6].entries()) {
        expect(a[c]).toBeCloseTo(expected, 4);
        expect(b[c]).toBeCloseTo(expected, 4);
      }
    });
  });
});

describe("models.create", () => {
  it("leaves no memory idle that only initial values took", () => {
    const before = device.memory();
    using net = models.create("fcn8s-small", device, { numClasses: 3, widthMultiplier: 2 });
    expect(net.parameters().reduce((sum, { size }) => sum + 4 * size, 0)).toBeGreaterThan(2 ** 20);
    expect(device.memory().pooledBytes).toBeLessThanOrEqual(before.pooledBytes);
  });

  it("refuses what it does not know, and says what it takes", () => {
    const create = (name: string, options: object) => () => models.create(name, device, options as models.ModelOptions);
    expect(create("fcn4s", { numClasses: 2 })).toThrow('models: there is no model called "fcn4s"');
    expect(create("fcn8s-vgg16", {})).toThrow(
      "models.create fcn8s-vgg16: numClasses is undefined, but must be a whole number of at least 1",
    );
    expect(create("fcn8s-vgg16", { numClasses: 2.5 })).toThrow(/numClasses is 2.5/);
    expect(create("fcn8s-vgg16", { numClasses: 2, classes: 3 })).toThrow(
      "models.create fcn8s-vgg16: option classes is unknown",
    );
    expect(create("fcn8s-vgg16", { numClasses: 2, dropout: 1 })).toThrow(
      /dropout is 1, but must be a number from 0 to below 1/,
    );
    expect(create("d2l-resnet18", { numClasses: 2, padding: 100 })).toThrow(/option padding is unknown/);
    expect(create("fcn32s-vgg16", { numClasses: 2, padding: 50 })).toThrow(
      "crop score: the offset is -31, but it must not be negative",
    );
  });

  it("lists every model, and each makes a net", async () => {
    expect(models.list()).toEqual(expect.arrayContaining([...VGG_NETS, "d2l-resnet18"]));
    for (const name of models.list()) {
      await device.scope(async () => {
        const net = models.create(name, device, { numClasses: 2, widthMultiplier: 1 / 64 });
        expect(net).toBeInstanceOf(nn.Module);
        expect(net.parameters().length).toBeGreaterThan(5);
      });
    }
  });
});
