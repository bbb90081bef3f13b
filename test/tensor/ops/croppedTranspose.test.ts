import * as t from "@fcn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { random } from "../../support/nd.js";
import { assertProperty } from "../../support/property.js";

const devices: Record<string, t.Device> = {};
beforeAll(async () => {
  devices.subgroups = await t.createDevice({ quiet: true, debug: { poison: true } });
  devices["small bindings"] = await t.createDevice({ quiet: true, bindingLimit: 16384 });
});
afterAll(() => {
  for (const device of Object.values(devices)) device.destroy();
});

const int = (min: number, max: number) => fc.integer({ min, max });
const cases = fc.record({
  n: int(1, 2),
  /** Groups, and channels in and out of each. */
  channels: fc.constantFrom([1, 3, 5], [1, 4, 8], [3, 1, 1], [8, 1, 1], [2, 3, 2], [1, 16, 12]),
  size: fc.tuple(int(1, 7), int(1, 7)),
  kernel: fc.tuple(int(1, 6), int(1, 6)),
  stride: fc.tuple(int(1, 4), int(1, 4)),
  dilation: fc.tuple(int(1, 2), int(1, 2)),
  /** Where the box begins and ends, in 16ths of what there is. */
  box: fc.tuple(int(0, 15), int(0, 15), int(1, 16), int(1, 16)),
  hasBias: fc.boolean(),
  seed: int(0, 1e6),
});

/** Where a box begins in `extent`, and its size, which is never 0. */
function part(extent: number, begin: number, share: number): readonly [number, number] {
  const first = Math.floor((extent * begin) / 16);
  return [first, Math.max(1, Math.ceil(((extent - first) * share) / 16))];
}

describe.each(["subgroups", "small bindings"])("convTranspose2d with crop on a device with %s", (name) => {
  it("is the crop of convTranspose2d, and so are its gradients", () =>
    assertProperty(cases, 60, async ({ n, channels, size, kernel, stride, dilation, box, hasBias, seed }) => {
      const device = devices[name] as t.Device;
      const [groups, cin, cout] = channels as [number, number, number];
      const options = { stride, dilation, groups };
      const leaf = (shape: readonly number[], k: number) =>
        device.tensor(Float32Array.from(random(shape, seed + k).data), shape, { requiresGrad: true });
      await device.scope(async () => {
        const x = leaf([n, groups * cin, ...size], 1);
        const w = leaf([groups * cin, cout, ...kernel], 2);
        const b = hasBias ? leaf([groups * cout], 3) : undefined;
        const whole = t.convTranspose2d(x, w, b, options);
        const [top, height] = part(whole.shape[2]!, box[0], box[2]);
        const [left, width] = part(whole.shape[3]!, box[1], box[3]);
        const cut = { top, left, height, width };
        const results = [t.crop(whole, cut), t.convTranspose2d(x, w, b, { ...options, crop: cut })];
        const values: Float32Array[][] = [];
        for (const y of results) {
          y.backward(device.tensor(Float32Array.from(random(y.shape, seed + 4).data), y.shape));
          const tensors = [y, x.grad!, w.grad!, ...(b ? [b.grad!] : [])];
          values.push((await Promise.all(tensors.map((own) => own.data()))) as Float32Array[]);
          for (const own of [x, w, b]) own?.zeroGrad();
        }
        const [expected, actual] = values as [Float32Array[], Float32Array[]];
        expect(results[1]!.shape).toEqual(results[0]!.shape);
        for (const [i, wanted] of expected.entries()) {
          const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
          const worst = wanted.reduce((most, value, j) => Math.max(most, Math.abs(value - actual[i]![j]!)), 0);
          expect(worst, `result ${i}`).toBeLessThan(1e-5 * largest);
        }
      });
    }));
});

it("throws where the box is not inside the output", () => {
  const device = devices.subgroups as t.Device;
  const [x, w] = [device.ones([1, 2, 3, 3]), device.ones([2, 2, 4, 4])];
  const box = { top: 0, left: 2, height: 8, width: 7 };
  expect(() => t.convTranspose2d(x, w, null, { stride: 2, crop: box })).toThrow(
    "convTranspose2d: 8x7 at (0, 2) does not lie inside 8x8",
  );
});
