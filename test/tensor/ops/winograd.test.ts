import { type Capabilities, type KernelTile, planConv2d, planConv2dWeightGradient } from "@fcn/kernels";
import { createDevice, type Device } from "@fcn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ConvCase, geometryOf } from "../../support/convolution.js";
import { checkPlans } from "../../support/convolution-plans.js";
import { assertProperty } from "../../support/property.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true, debug: { poison: true } });
});
afterAll(() => device.destroy());

const int = (min: number, max: number) => fc.integer({ min, max });
const cases = fc.record({
  n: int(1, 2),
  channels: fc.tuple(fc.constantFrom(32, 36), fc.constantFrom(32, 44)),
  size: fc.tuple(int(18, 22), int(19, 21)),
  padding: fc.tuple(int(0, 3), int(0, 3)),
  keepsLoops: fc.boolean(),
});

/** The rounding errors of tiles of 4 x 4 and 2 x 2 outputs, in those of plain sums. */
const SLACK = { 4: 16, 2: 2 } as const;

describe.each([4, 2] as const)("minimal filtering in tiles of %i outputs a side", (size) => {
  const tile: KernelTile = { variant: "winograd", TM: size, SGN: 1, TV: 1 };

  /** The capabilities of a device that takes these tiles in all three directions. */
  function capsFor(g: ReturnType<typeof geometryOf>, own: Capabilities): Capabilities {
    const caps = { ...own, variants: ["winograd", "subgroup", "register"] as const };
    const plans = [planConv2d(g, "forward", true, caps), planConv2d(g, "transposed", true, caps)];
    const keys = [...plans, planConv2dWeightGradient(g, caps)].map((plan) => plan!.tunable!.key);
    return { ...caps, tuning: Object.fromEntries(keys.map((key) => [key, tile])) };
  }

  it("computes all three directions of any padding, whatever the edges", () =>
    assertProperty(cases, 8, async ({ keepsLoops, ...shape }) => {
      const g = geometryOf({ ...shape, kernel: [3, 3] } as ConvCase);
      if (g.n * g.outH * g.outW < 320) return;
      const caps = { ...capsFor(g, device.capabilities), keepsLoops };
      expect(planConv2d(g, "forward", true, caps)?.tunable?.tile).toEqual(tile);
      expect(planConv2d(g, "transposed", true, caps)?.tunable?.tile).toEqual(tile);
      expect(planConv2dWeightGradient(g, caps)?.tunable?.tile).toEqual(tile);
      await checkPlans(device, g, caps, SLACK[size]);
    }));

  it("takes rows of tiles in turn where the transformed image would be large", async () => {
    const g = geometryOf({ n: 2, channels: [32, 36], size: [28, 9], kernel: [3, 3], padding: [1, 1] });
    const caps = { ...capsFor(g, device.capabilities), bindingLimit: 200_000 };
    const plan = planConv2d(g, "forward", true, caps);
    expect(plan?.tunable?.tile).toEqual(tile);
    expect(plan?.steps.filter(({ kernel }) => kernel.name === "conv2d/winograd-tiles").length).toBeGreaterThan(1);
    await checkPlans(device, g, caps, SLACK[size]);
  });
});
