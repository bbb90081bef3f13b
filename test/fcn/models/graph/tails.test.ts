import { models } from "@fcn/core";
import {
  argmax,
  createDevice,
  crossEntropy,
  type Device,
  noGrad,
  type Tensor,
  upsampledArgmax,
  upsampledCrossEntropy,
} from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const OPTIONS = { numClasses: 3, seed: 1, widthMultiplier: 0.125 };
const SHAPE = [2, 3, 64, 48] as const;
const create = (name: string, options: object = {}) =>
  models.create(name, device, { ...OPTIONS, ...options }) as models.GraphNet;

/** A net whose score layers are not 0. */
function scoring(name: string, options: object = {}): models.GraphNet {
  const net = create(name, options);
  for (const [i, [key, tensor]] of Object.entries(net.stateDict()).entries()) {
    if (/score|classifier\.4|predictor/.test(key) && !key.includes("upscore")) {
      tensor.assign(device.rand(tensor.shape, { low: -1, high: 1, seed: i }));
    }
  }
  return net.eval() as models.GraphNet;
}

describe.each([
  ["fcn32s-small", {}],
  ["fcn8s-small", {}],
  ["fcn8s-small", { dense: true }],
  ["fcn8s-vgg16", {}],
  ["fcn16s-resnet18", {}],
  ["fcn4s-resnet18", {}],
  ["fcn32s-alexnet", {}],
  ["fcn_resnet50", {}],
  ["lraspp_mobilenet_v3_large", {}],
  ["fpn-resnet18", {}],
  ["semantic-fpn-resnet18", {}],
  ["fcn8s-vgg16-siftflow", { numGeometric: 3 }],
])("%s %o", (name, options) => {
  it("gives coarse scores, whose upsampling is that of its logits", async () => {
    await device.scope(async () => {
      using net = scoring(name, name.endsWith("siftflow") ? {} : options);
      const x = device.randn(SHAPE, { seed: 2 });
      const output = noGrad(() => net.forward(x));
      const logits: Record<string, Tensor> = "shape" in output ? { out: output } : { ...(output as object) };
      const scores = noGrad(() => net.scores(x));
      expect(Object.keys(scores)).toEqual(Object.keys(logits));
      for (const [head, { values, upsampling }] of Object.entries(scores)) {
        const full = logits[head] as Tensor;
        expect(upsampling?.size).toEqual(full.shape.slice(2));
        expect(values.size).toBeLessThan(full.size);
        const [own, wanted] = [
          await upsampledArgmax(values, upsampling!).data(),
          await argmax(full, { dim: 1 }).data(),
        ];
        const differing = own.filter((label, i) => label !== wanted[i]).length;
        expect(differing / own.length).toBeLessThan(1e-3);
        const target = device.full(
          full.shape.filter((_, dim) => dim !== 1),
          1,
          { dtype: "int32" },
        );
        const losses = await upsampledCrossEntropy(values, target, upsampling!, { reduction: "none" }).data();
        const others = await crossEntropy(full, target, { reduction: "none" }).data();
        const most = Math.max(...others);
        expect(most - Math.min(...others)).toBeGreaterThan(1e-3);
        const off = losses.map((loss, i) => Math.abs(loss - others[i]!));
        expect(Math.max(...off)).toBeLessThanOrEqual(1e-5 * most);
      }
    });
  });
});

describe("a net whose upsampling is not fixed", () => {
  it.each([
    ["d2l-resnet18", {}],
    ["fcn8s-small", { deconv: "learned" }],
    ["unet", {}],
  ])("%s %o gives its logits", (name, options) => {
    using net = create(name, options);
    const { out } = net.upsamplings(SHAPE);
    expect(out).toBeUndefined();
    const values = noGrad(() => net.scores(device.randn(SHAPE, { seed: 2 }))).out?.values;
    expect(values?.shape).toEqual([2, 3, 64, 48]);
  });

  it("is one that was changed, until its weights are looked at", async () => {
    using net = create("fcn32s-small");
    const isFixed = () => net.upsamplings(SHAPE).out !== undefined;
    const [name, weight] = Object.entries(net.stateDict()).find(([key]) => key.startsWith("upscore"))!;
    expect([isFixed(), await net.look()]).toEqual([true, [true]]);
    const bilinear = Float32Array.from(await weight.data());
    const load = (data: Float32Array) =>
      net.loadStateDict({ [name]: { dtype: "float32", shape: weight.shape, data } }, { strict: false });

    load(bilinear);
    expect([isFixed(), await net.look(), isFixed()]).toEqual([false, [true], true]);
    load(bilinear.map((value) => value + 1e-7));
    expect([isFixed(), await net.look(), isFixed()]).toEqual([false, [true], true]);
    load(bilinear.map((value, i) => (i === 100 ? value + 1e-3 : value)));
    expect([isFixed(), await net.look(), isFixed()]).toEqual([false, [false], false]);
    weight.assign(device.tensor(bilinear, weight.shape));
    expect([isFixed(), await net.look(), isFixed()]).toEqual([false, [true], true]);
    weight.requiresGrad = true;
    expect(isFixed()).toBe(false);
  });

  it("is one whose device cannot bind as much at once", () => {
    using net = create("fcn32s-small");
    expect(net.upsamplings([1, 3, 2048, 2048]).out).toBeDefined();
    expect(net.upsamplings([1, 3, 32_768, 32_768]).out).toBeUndefined();
  });

  it("is one of which a head reads what is upsampled, too", () => {
    const builder = new models.GraphBuilder("twice");
    const data = builder.add("data", { kind: "input", channels: 3 });
    const score = builder.add("score", { kind: "conv", outChannels: 3, kernelSize: 2, stride: 2 }, data);
    const up = builder.add("up", { kind: "resize", mode: "bilinear" }, score, data);
    const net = new models.GraphNet<Record<string, Tensor>>(device, builder.build({ out: up, again: up }), 1);
    expect(net.upsamplings(SHAPE)).toEqual({ out: undefined, again: undefined });
    const own = builder.build({ out: builder.add("cut", { kind: "crop" }, up, data), up });
    expect(new models.GraphNet(device, own, 1).upsamplings(SHAPE)).toEqual({ out: undefined, up: undefined });
  });
});
