import * as fcn from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { setRepeating } from "@fcn/tensor/internal";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { stripes } from "../data/samples.js";

const RAW = { channelOrder: "rgb", mean: [120, 110, 100], std: [60, 60, 60] } as const;
const OPTIONS = { numClasses: 2, seed: 4, widthMultiplier: 0.25 };
const SIDES = [64, 48, 64, 64, 48, 80, 48, 64, 80, 80];

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const images = SIDES.map((side, i) => stripes(`${i}`, side, 2, 2 + (i % 3)).image);

/** A net whose scores are not all 0. */
async function someNet(on: Device, model = "fcn32s-small"): Promise<fcn.models.GraphNet> {
  const net = fcn.models.create(model, on, OPTIONS);
  const values = Object.entries(net.stateDict()).map(([name, tensor], i) => {
    return [name, name.includes("score") ? on.rand(tensor.shape, { low: -1, high: 1, seed: i }) : tensor] as const;
  });
  net.loadStateDict(Object.fromEntries(values));
  return net as fcn.models.GraphNet;
}

/** What `use` gives when predictions are replayed, or not, and how often the net ran. */
async function counted<T>(isRepeating: boolean, use: () => Promise<T>): Promise<{ found: T; runs: number }> {
  setRepeating(device, isRepeating);
  const passes = (["forward", "scores"] as const).map((way) => vi.spyOn(fcn.models.GraphNet.prototype, way));
  try {
    return { found: await use(), runs: passes.reduce((sum, { mock }) => sum + mock.calls.length, 0) };
  } finally {
    for (const pass of passes) pass.mockRestore();
    setRepeating(device, true);
  }
}

describe("recorded predictions have the bits of those that run each time", () => {
  it.each<[string, fcn.PredictOptions]>([
    ["images of several sizes", {}],
    ["probabilities and overlays", { probabilities: true, overlay: true }],
    ["several views", { scales: [0.75, 1], mirror: true, probabilities: true }],
    ["tiles in strips", { tile: 32, overlap: 0, probabilities: true }],
    ["tiles that overlap, in several views", { tile: 64, overlap: 32, mirror: true, probabilities: true }],
  ])("of %s", async (_, options) => {
    const run = async () => {
      using net = await someNet(device);
      const found: fcn.Prediction[] = [];
      for await (const { prediction, error } of fcn.predictAll(net, images, { preprocessing: RAW, ...options })) {
        if (error) throw error;
        found.push(prediction);
      }
      return found;
    };
    const [plain, repeated] = [await counted(false, run), await counted(true, run)];
    expect(new Set(plain.found[0]?.labels).size).toBe(2);
    expect(repeated.found).toEqual(plain.found);
    expect(repeated.runs).toBeLessThan(plain.runs);
  });

  it("one by one, after training in between, and in an evaluation", async () => {
    const samples = SIDES.map((side, i) => stripes(`${i}`, side, 2, 2 + (i % 3)));
    const run = async () => {
      using net = await someNet(device, "fcn16s-small");
      const found: unknown[] = [];
      for (let i = 0; i < 3; i++) {
        for (const image of images) found.push(await fcn.predict(net, image, { preprocessing: RAW }));
        found.push(await fcn.evaluate(net, samples, { preprocessing: RAW, numClasses: 2, batchSize: 2 }));
        const data = samples.filter(({ image }) => image.height === 64);
        await fcn.train({
          model: net,
          data,
          preprocessing: RAW,
          numClasses: 2,
          steps: 3,
          learningRate: 0.1,
          batchSize: 2,
        });
      }
      return found;
    };
    const [plain, repeated] = [await counted(false, run), await counted(true, run)];
    expect(repeated.found).toEqual(plain.found);
    expect(repeated.runs).toBeLessThan(plain.runs / 2);
  });

  it.each(["fcn32s-small", "fcn8s-small", "d2l-resnet18"])(
    "labels alone are those of the probabilities: %s",
    async (name) => {
      using net = await someNet(device, name);
      const [key, weight] = Object.entries(net.stateDict())
        .reverse()
        .find(([own]) => /upscore|transpose_conv.weight/.test(own))!;
      const given = Float32Array.from(await weight.data());
      const image = images[0] as (typeof images)[number];
      const labelsOf = async (options: fcn.PredictOptions): Promise<Uint8Array> =>
        (await fcn.predict(net, image, { preprocessing: RAW, ...options })).labels;
      // Not bilinear any more, bilinear again by loading, and after a change in place.
      for (const values of [
        given,
        given.map((value, i) => value * (i % 7)),
        given,
        Float32Array.from(given).fill(0, 0, 99),
      ]) {
        net.loadStateDict({ [key]: { dtype: "float32", shape: weight.shape, data: values } }, { strict: false });
        for (let i = 0; i < 4; i++) expect(await labelsOf({})).toEqual(await labelsOf({ probabilities: true }));
      }
    },
  );

  it("also while another captured function runs in between", async () => {
    using net = await someNet(device);
    const other = device.capture((x) => net.forward(x));
    const x = device.ones([1, 3, 64, 64]);
    const image = images[0] as (typeof images)[number];
    const options = { preprocessing: RAW, probabilities: true };
    const expected = await fcn.predict(net, image, options);
    for (let i = 0; i < 6; i++) {
      const predicting = fcn.predict(net, image, options);
      for (let n = 0; n < 4; n++) await Promise.resolve();
      (await other(x)).dispose();
      expect(await predicting).toEqual(expected);
    }
    other.dispose();
    x.dispose();
  });
});

describe("the memory of recorded predictions", () => {
  it("is that of predictions that run, stays within what is allowed, and is given back", async () => {
    const memory = 2 ** 23;
    const measure = async (isRepeating: boolean, options: fcn.PredictOptions) => {
      const own = await createDevice({ quiet: true, poolBytes: 2 ** 30 });
      setRepeating(own, isRepeating);
      const net = await someNet(own);
      own.trim();
      own.resetPeakMemory();
      const { liveBytes } = own.memory();
      let idle = 0;
      for await (const { error } of fcn.predictAll(net, [...images, ...images], { preprocessing: RAW, ...options })) {
        expect(error).toBeUndefined();
        idle = Math.max(idle, own.memory().pooledBytes);
      }
      const { peakBytes, peakReservedBytes, ...after } = own.memory();
      expect(after.liveBytes).toBe(liveBytes);
      own.trim();
      expect(own.memory().pooledBytes).toBe(0);
      own.destroy();
      return { peakBytes, peakReservedBytes, idle };
    };
    for (const options of [{}, { memory }, { memory: 2 ** 20 }]) {
      const [plain, repeated] = [await measure(false, options), await measure(true, options)];
      // What an image becomes lies twice in memory while its size is recorded.
      expect(repeated.peakBytes).toBeLessThanOrEqual(plain.peakBytes + 2 ** 17);
      // The first image of a size does not use what is set apart for others; parameters of kernels take a buffer.
      expect(repeated.peakReservedBytes).toBeLessThanOrEqual(plain.peakReservedBytes + plain.peakBytes + 2 ** 18);
      expect(repeated.idle).toBeLessThanOrEqual((options.memory ?? 2 ** 30) + 2 ** 18);
    }
  });
});
