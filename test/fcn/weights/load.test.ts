import { bilinearKernel, models, weights } from "@fcn/core";
import { createDevice, type Device, io, type nn } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { caffemodel } from "../../support/caffe.js";
import { uniform } from "../../support/hash-values.js";
import { refusal } from "../../support/refusals.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice();
});
afterAll(() => device?.destroy());

const TINY = { numClasses: 3, widthMultiplier: 1 / 64, seed: 1 };
const values = async (net: nn.Module, name: string) => Array.from(await net.stateDict()[name]!.data());

/** A published FCN-32s at a small width as Caffe wrote it: four sizes for each blob, dense upsampling. */
function berkeley(net: nn.Module): Uint8Array {
  const shapes = Object.entries(net.stateDict()).map(([name, { shape }]) => {
    const dense = name === "upscore.weight" ? [3, 3, 64, 64] : shape;
    return [name, [...Array(4 - dense.length).fill(1), ...dense]] as [string, number[]];
  });
  const layers = new Map<string, { name: string; type: number; blobs: object[] }>();
  for (const [name, shape] of shapes) {
    const layer = name.split(".")[0]!;
    const [num, channels, height, width] = shape;
    const data = name === "upscore.weight" ? bilinearKernel(3, 3, 64).data : uniform(name, shape, 1);
    const entry = layers.get(layer) ?? { name: layer, type: 4, blobs: [] };
    entry.blobs.push({ num, channels, height, width, data: Array.from(data) });
    layers.set(layer, entry);
  }
  return caffemodel({ name: "fcn", layers: [...layers.values()] });
}

describe("a published FCN from Caffe", () => {
  it("streams into the net: biases reshaped, dense upsampling made channel-wise", async () => {
    await device.scope(async () => {
      const net = models.create("fcn32s-vgg16", device, TINY);
      const file = berkeley(net);
      const error = await refusal(io.loadWeights(net, file));
      expect(error.message).toContain("of the wrong shape: conv1_1.bias is [1, 1, 1, 1], the module has [1]");
      expect(error.fix).toContain("reshape: true");
      const report = await io.loadWeights(net, file, { reshape: true });
      expect(report).toMatchObject({ skipped: [], missing: [], unexpected: [] });
      expect(report.reshaped).toContain("upscore.weight");
      expect(await values(net, "conv5_3.weight")).toEqual(Array.from(uniform("conv5_3.weight", [8, 8, 3, 3], 1)));
      expect(await values(net, "fc6.bias")).toEqual(Array.from(uniform("fc6.bias", [1, 1, 1, 64], 1)));
      expect(await values(net, "upscore.weight")).toEqual(Array.from(bilinearKernel(3, 1, 64).data));
    });
  });

  it("changes nothing when its upsampling mixes classes", async () => {
    await device.scope(async () => {
      const net = models.create("fcn32s-vgg16", device, TINY);
      const before = await values(net, "conv1_1.weight");
      const kernel = bilinearKernel(3, 3, 64);
      const mixed = { ...kernel, data: kernel.data.slice() };
      mixed.data[64 * 64 + 5] = 0.5;
      const ones = { dtype: "float32", shape: [1, 3, 3, 3], data: new Float32Array(27).fill(1) } as const;
      const file = await io.encodeSafetensors({ "conv1_1.weight": ones, "upscore.weight": mixed });
      const error = await refusal(io.loadWeights(net, file, { strict: false }));
      expect(error.message).toContain("mixes classes");
      expect(await values(net, "conv1_1.weight")).toEqual(before);
    });
  });

  it("does not take a tensor on the GPU for another form of it", async () => {
    await device.scope(async () => {
      const [narrow, dense] = [false, true].map((wide) =>
        models.create("fcn32s-vgg16", device, { ...TINY, dense: wide }),
      );
      expect(dense!.loadStateDict(narrow!.stateDict(), { strict: false }).skipped).toEqual(["upscore.weight"]);
      expect(await values(dense!, "upscore.weight")).toEqual(Array.from(bilinearKernel(3, 3, 64).data));
    });
  });
});

describe("torchvision's vgg16", () => {
  it("fills the backbone of an FCN by a name map, its fully connected layers cast", async () => {
    await device.scope(async () => {
      const net = models.create("fcn8s-vgg16", device, TINY);
      const { rename } = weights.nameMap("caffe-to-vgg16");
      const backbone = Object.entries(net.stateDict()).filter(([name]) => /^(conv|fc)/.test(name));
      const arrays = backbone.map(([name, { shape }]): [string, io.HostArray] => {
        const flat =
          name === "fc6.weight" || name === "fc7.weight" ? [shape[0]!, shape.slice(1).reduce((a, b) => a * b)] : shape;
        return [rename(name), { dtype: "float32", shape: flat, data: uniform(name, shape, 1) }];
      });
      const file = await io.encodeSafetensors(Object.fromEntries(arrays));
      const options = { rename: weights.nameMap("vgg16-to-caffe").rename, reshape: true, strict: false };
      const report = await io.loadWeights(net, file, options);
      expect([...report.copied, ...report.reshaped].sort()).toEqual(backbone.map(([name]) => name).sort());
      expect([...report.reshaped].sort()).toEqual(["fc6.weight", "fc7.weight"]);
      expect(report.missing.every((name) => /^(up)?score/.test(name))).toBe(true);
      const { shape } = net.stateDict()["fc6.weight"]!;
      expect(await values(net, "fc6.weight")).toEqual(Array.from(uniform("fc6.weight", shape, 1)));
    });
  });
});
