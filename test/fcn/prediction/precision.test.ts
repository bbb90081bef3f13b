import * as fcn from "@fcn/core";
import { argmax, createDevice, type Device, noGrad, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeImage, RAW, smallGraph } from "./nets.js";

let device: Device;
let without: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
  without = await createDevice({ quiet: true, float16: false });
});
afterAll(() => {
  device?.destroy();
  without?.destroy();
});

const HALF = { precision: "float16", preprocessing: RAW } as const;
const CLASSES = 5;

/** A net of an eighth of its width whose classes differ. */
function scoring(name: string): fcn.models.GraphNet {
  const net = fcn.models.create(name, device, { numClasses: CLASSES, seed: 1, widthMultiplier: 0.125 });
  for (const [, values] of net.namedParameters()) {
    if (values.shape.length === 4 && values.shape[0] === CLASSES) {
      values.assign(device.randn(values.shape, { seed: 7 }));
    }
  }
  return net.eval() as fcn.models.GraphNet;
}

describe("a net with float16 features", () => {
  // Between them they have every kind of layer.
  it.each(["fcn8s-mobilenetv2", "fcn16s-googlenet-bvlc", "unet-resnet18", "lraspp_mobilenet_v3_large"])(
    "%s gives the logits of float32 to a hundredth of the largest, and their classes",
    async (name) => {
      using net = scoring(name);
      await device.scope(async () => {
        const x = device.randn([1, 3, 64, 64], { seed: 3 });
        const logits = (input: Tensor) => noGrad(() => net.forward(input) as Tensor);
        const [half, whole] = [logits(x.to("float16")), logits(x)];
        expect([half.dtype, whole.dtype]).toEqual(["float16", "float32"]);
        const [got, want] = [await half.data(), await whole.data()] as [Float32Array, Float32Array];
        const largest = want.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
        expect(largest).toBeGreaterThan(0);
        const worst = want.reduce((most, v, i) => Math.max(most, Math.abs(v - got[i]!)), 0);
        expect(worst / largest).toBeLessThan(0.01);
        expect(worst).toBeGreaterThan(0);
        const [labels, expected] = await Promise.all([half, whole].map((y) => argmax(y, { dim: 1 }).data()));
        const same = labels!.filter((label, i) => label === expected![i]).length;
        expect(same / labels!.length).toBeGreaterThan(0.98);
      });
    },
  );
});

describe("predict with precision float16", () => {
  const image = makeImage(70, 90, 3);

  it("gives float32 probabilities close to those of float32, in tiles and views too", async () => {
    using net = new fcn.models.GraphNet(device, smallGraph(3), 2);
    for (const more of [{}, { tile: [32, 40] as const, overlap: 8 }, { mirror: true, scales: [1, 1.25] }]) {
      const options = { preprocessing: RAW, probabilities: true, ...more };
      const [half, whole] = [
        await fcn.predict(net, image, { ...options, precision: "float16" }),
        await fcn.predict(net, image, options),
      ];
      expect([half.tiles, half.probabilities?.dtype]).toEqual([whole.tiles, "float32"]);
      const [got, want] = [half, whole].map(({ probabilities }) => probabilities?.data as Float32Array) as [
        Float32Array,
        Float32Array,
      ];
      const worst = want.reduce((most, v, i) => Math.max(most, Math.abs(v - got[i]!)), 0);
      expect(worst).toBeLessThan(0.01);
      expect(worst).toBeGreaterThan(0);
    }
  });

  it("gives the same bits each time, recorded and replayed, and float32 its own in between", async () => {
    using net = new fcn.models.GraphNet(device, smallGraph(3), 2);
    const options = { preprocessing: RAW, probabilities: true };
    const found: Record<string, Float32Array[]> = { float16: [], float32: [] };
    for (let i = 0; i < 4; i++) {
      for (const precision of ["float16", "float32"] as const) {
        const { probabilities } = await fcn.predict(net, image, { ...options, precision });
        found[precision]!.push(probabilities!.data as Float32Array);
      }
    }
    for (const runs of Object.values(found)) for (const run of runs) expect(run).toEqual(runs[0]);
  });

  it("holds about half the bytes", async () => {
    using net = new fcn.models.GraphNet(device, smallGraph(2), 2);
    const large = makeImage(512, 640);
    const bytes = async (precision: fcn.Precision): Promise<number> => {
      device.trim();
      device.resetPeakMemory();
      const before = device.memory().liveBytes;
      await device.scope(async () => {
        const x = device.randn([1, 3, large.height, large.width], { seed: 1 });
        using input = noGrad(() => (precision === "float16" ? x.to("float16") : x.detach()));
        x.dispose();
        device.resetPeakMemory();
        await (noGrad(() => net.forward(input)) as Tensor).device.sync();
      });
      return device.memory().peakBytes - before;
    };
    expect((await bytes("float16")) / (await bytes("float32"))).toBeLessThan(0.55);
  });

  it("scores in evaluate what it predicts", async () => {
    using net = new fcn.models.GraphNet(device, smallGraph(3), 2);
    const { labels } = await fcn.predict(net, image, HALF);
    const samples = [{ name: "a", image, labels }];
    const scores = await fcn.evaluate(net, samples, { ...HALF, numClasses: 3 });
    expect(scores.pixelAccuracy).toBe(1);
  });

  it("is refused on a device without shader-f16, and for another name", async () => {
    using net = new fcn.models.GraphNet(without, smallGraph(3), 2);
    await expect(fcn.predict(net, image, HALF)).rejects.toThrow(expect.objectContaining({ code: "unsupported" }));
    const other = { ...HALF, precision: "half" as fcn.Precision };
    await expect(fcn.predict(net, image, other)).rejects.toThrow(
      /precision is "half", expected one of: float32, float16/,
    );
    expect((await fcn.predict(net, image, { preprocessing: RAW })).tiles).toBe(1);
  });
});
