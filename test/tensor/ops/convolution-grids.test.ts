import { type Conv2dGeometry, type Direction, planConv2d } from "@fcn/kernels";
import { createDevice, type Device, type DeviceOptions } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkValue, geometryOf } from "../../support/convolution.js";

function useDevice(options: DeviceOptions): () => Device {
  let device: Device | undefined;
  beforeAll(async () => {
    device = await createDevice({ quiet: true, ...options });
  });
  afterAll(() => device?.destroy());
  return () => device!;
}

describe("grids past 65,535 workgroups", () => {
  const device = useDevice({});
  const plain = useDevice({ subgroups: false });
  const grids = (g: Conv2dGeometry, direction: Direction, on: Device) =>
    planConv2d(g, direction, true, on.capabilities)!.steps.map((step) => step.grid);
  const folded = (g: Conv2dGeometry, direction: Direction, on: Device) =>
    expect(grids(g, direction, on).some(([, y]) => y > 1)).toBe(true);

  it("one filter a channel", async () => {
    const g = geometryOf({ channels: [3, 3], size: [1_398_200, 1], kernel: [1, 1], groups: 3 });
    folded(g, "forward", device());
    await checkValue(device(), "forward", g);
  });

  it("a transposed convolution with more phases than that", async () => {
    const g = geometryOf({
      channels: [1, 1],
      size: [2050, 2049],
      kernel: [2, 3],
      stride: [2050, 2049],
      dilation: [2, 700],
    });
    folded(g, "transposed", plain());
    await checkValue(plain(), "transposed", g);
  });
});
