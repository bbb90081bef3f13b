import { listWeights, models } from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

describe("the facts of a model", () => {
  // What torchvision 0.14 and later state with their weights: num_params, and _ops at 520x520 in thousand millions.
  it.each([
    ["fcn_resnet50", 35322218, 152.717, { coarsestStride: 8, receptiveField: 443 }],
    ["fcn_resnet101", 54314346, 232.738, { coarsestStride: 8 }],
    ["deeplabv3_resnet50", 42004074, 178.722, { coarsestStride: 8, receptiveField: Infinity }],
    ["deeplabv3_resnet101", 60996202, 258.743, { coarsestStride: 8, receptiveField: Infinity }],
    ["deeplabv3_mobilenet_v3_large", 11029328, 10.452, { coarsestStride: 16, receptiveField: Infinity }],
    ["lraspp_mobilenet_v3_large", 3221538, 2.086, { heads: ["out"], coarsestStride: 16, receptiveField: Infinity }],
  ])("of %s are torchvision's", (name, parameters, billions, more) => {
    const info = models.info(name, { height: 520, width: 520 });
    expect(info).toMatchObject({ parameters, heads: ["out", "aux"], outputStride: 8, ...more });
    expect(Math.abs(info.multiplyAdds / 1e9 - billions)).toBeLessThan(0.0006);
  });

  it("of the paper's nets are the paper's: receptive field 404, strides 32, 16 and 8", () => {
    const strides = [32, 16, 8].map((stride) => models.info(`fcn${stride}s-vgg16`));
    expect(strides.map(({ outputStride }) => outputStride)).toEqual([32, 16, 8]);
    for (const info of strides) expect(info).toMatchObject({ receptiveField: 404, coarsestStride: 32, keys: "Caffe" });
  });

  it("count the transposed convolution of the d2l net at its input", () => {
    const [narrow, wide] = [21, 22].map((numClasses) => models.info("d2l-resnet18", { numClasses }).multiplyAdds);
    const upsampling = (classes: number): number => 64 * 64 * classes * classes * 7 * 7;
    expect((wide as number) - (narrow as number)).toBe(512 * 49 + upsampling(22) - upsampling(21));
    expect(models.info("d2l-resnet18", { height: 448 }).multiplyAdds).toBe(2 * (narrow as number));
  });

  it("count the parameters that each net has, and name weights that the registry has", async () => {
    for (const name of models.list()) {
      const options = { numClasses: 3, widthMultiplier: 1 / 64 };
      const { parameters, heads, weights, backboneWeights, inChannels } = models.info(name, options);
      using net = models.create(name, device, options);
      expect(parameters, name).toBe(net.parameters().reduce((sum, { size }) => sum + size, 0));
      expect(heads).toEqual(Object.keys(net.graph.outputs));
      expect(inChannels).toBe(net.describe({ height: 64, width: 64 })[0]?.shape[0]);
      for (const known of [...weights, ...backboneWeights]) expect(listWeights()).toContain(known);
    }
  });

  it("name every entry of the registry for some model", () => {
    const named = new Set(
      models.list().flatMap((name) => {
        const { weights, backboneWeights } = models.info(name);
        return [...weights, ...backboneWeights];
      }),
    );
    expect(listWeights().filter((name) => !named.has(name))).toEqual([]);
  });

  it("are refused for unknown names and sizes that do not fit", () => {
    expect(() => models.info("resnet")).toThrow(/no model called "resnet"/);
    expect(() => models.info("unet", { height: 0 })).toThrow(/height is 0/);
    expect(() => models.info("unet", { colour: 1 } as never)).toThrow(/option colour is unknown/);
  });
});

it("a net describes its layers as models.describe does by name", () => {
  using net = models.create("fcn8s-small", device, { numClasses: 3 });
  const size = { height: 64, width: 48 };
  expect(net.describe(size)).toEqual(models.describe("fcn8s-small", { numClasses: 3, ...size }));
});
