import * as fcn from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { makeWork } from "../../../packages/fcn/src/measure/work.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

describe("the work on which a net is measured", () => {
  it.each([
    ["float32", true],
    ["float32", false],
    ["float16", true],
    ["float16", false],
  ] as const)("has features in %s; with gradients: %s", async (precision, training) => {
    using net = fcn.models.create("fcn8s-small", device, { numClasses: 2, seed: 1, widthMultiplier: 0.25 });
    const forward = vi.spyOn(net, "forward");
    let gradients = 0;
    const zeroGrad = vi.spyOn(net, "zeroGrad").mockImplementation(() => {
      for (const parameter of net.parameters()) if (parameter.grad) gradients++;
    });
    const work = makeWork(device, net, { batchSize: 1, size: [64, 64], channels: 3, training, precision });
    await device.scope(work);
    expect(forward.mock.calls.map(([x]) => [x.shape, x.dtype])).toEqual([[[1, 3, 64, 64], precision]]);
    expect(forward.mock.results[0]?.value).toMatchObject({ dtype: precision });
    const learning = net.parameters().filter(({ requiresGrad }) => requiresGrad);
    expect(gradients).toBe(training ? learning.length : 0);
    zeroGrad.mockRestore();
  });
});
