import * as t from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apply, type ConvCase, geometryOf, sides } from "../../support/convolution.js";
import { random } from "../../support/nd.js";

const DEVICES: Readonly<Record<string, t.DeviceOptions>> = {
  "the adapter's own limits and features": { debug: { poison: true } },
  "kernels through workgroup memory": { variants: ["workgroup"] },
  "small bindings": { bindingLimit: 8192 },
};

const devices: Record<string, t.Device> = {};
beforeAll(async () => {
  for (const [name, options] of Object.entries(DEVICES)) {
    devices[name] = await t.createDevice({ quiet: true, ...options });
  }
});
afterAll(() => {
  for (const device of Object.values(devices)) device.destroy();
});

const CASES: Readonly<Record<string, ConvCase>> = {
  "3x3": { n: 2, channels: [8, 12], size: [9, 17], kernel: [3, 3], padding: [1, 1] },
  "minimal filtering": { channels: [32, 32], size: [20, 18], kernel: [3, 3], padding: [1, 1] },
  "stride 2, odd channels": { channels: [5, 7], size: [11, 9], kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
  "1x1 of stride 2, which reads a quarter of x": { channels: [8, 8], size: [8, 9], kernel: [1, 1], stride: [2, 2] },
  "one filter a channel": { channels: [12, 12], size: [11, 19], kernel: [3, 3], padding: [1, 1], groups: 12 },
  "many channels of a small image": { channels: [120, 16], size: [5, 3], kernel: [3, 3], padding: [1, 1] },
};

describe.each(Object.keys(DEVICES))("x read by two ops, on a device with %s", (name) => {
  describe.each(["forward", "transposed"] as const)("of which one is a convolution, %s", (direction) => {
    it.each(Object.entries(CASES))("%s: its gradient is the sum of both, to the bit", async (_, c) => {
      const device = devices[name]!;
      const g = geometryOf(c);
      const { large, small, weight } = sides(g);
      const shape = direction === "forward" ? large : small;
      const leaf = (of: readonly number[], seed: number) =>
        device.tensor(Float32Array.from(random(of, seed).data), of, { requiresGrad: true });
      await device.scope(async () => {
        const w = leaf(weight, 2);
        /** The gradient of x where only these ops read it. */
        const gradient = async (uses: readonly ("convolution" | "other")[]): Promise<t.Tensor> => {
          const x = leaf(shape, 1);
          // The gradient reaches the ops through one that both hang on, the last to be made first.
          const held = t.mul(x, 1);
          const results = uses.map((use) =>
            use === "other" ? t.sum(t.exp(held)) : t.sum(t.exp(apply(direction, g, held, w))),
          );
          results.reduce((a, b) => t.add(a, b)).backward();
          return x.grad!;
        };
        const [convolution, other] = [await gradient(["convolution"]), await gradient(["other"])];
        const want = await t.noGrad(() => t.add(convolution, other)).data();
        expect(new Set(want).size).toBeGreaterThan(10);
        expect(await (await gradient(["convolution", "other"])).data()).toEqual(want);
        expect(await (await gradient(["other", "convolution"])).data()).toEqual(want);
      });
    });
  });
});
