import { type Conv2dGeometry, type Direction, planConv2d, planConv2dWeightGradient } from "@fcn/kernels";
import { createDevice, type Device, type DeviceOptions } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type ConvCase,
  checkAdjoint,
  checkAgainstReference,
  geometries,
  geometryOf,
} from "../../support/convolution.js";
import { checkPlans } from "../../support/convolution-plans.js";
import { assertProperty } from "../../support/property.js";

const directions: Direction[] = ["forward", "transposed"];

/** Each names the corner that it stands for; the transposed direction runs the same geometry backwards. */
const cases: Record<string, ConvCase> = {
  "3x3, padding 1": { n: 2, channels: [3, 21], size: [9, 17], kernel: [3, 3], padding: [1, 1] },
  "a tile less one pixel": { channels: [4, 8], size: [1, 31], kernel: [1, 1] },
  "a tile and one pixel": { channels: [8, 4], size: [1, 33], kernel: [1, 1] },
  "stride above the kernel": { n: 2, channels: [5, 4], size: [13, 11], kernel: [2, 1], stride: [3, 4] },
  "padding above the kernel": { channels: [4, 5], size: [5, 6], kernel: [2, 3], padding: [4, 3], stride: [2, 1] },
  "dilation that shares a factor with the stride": {
    channels: [8, 3],
    size: [21, 19],
    kernel: [3, 3],
    stride: [4, 6],
    dilation: [2, 3],
    padding: [2, 3],
  },
  "width 1": { n: 2, channels: [3, 8], size: [17, 1], kernel: [3, 1], padding: [1, 0], stride: [2, 1] },
  "one channel": { channels: [1, 1], size: [7, 9], kernel: [3, 2] },
  "three groups of 4 and 5": { n: 2, channels: [12, 15], size: [8, 9], kernel: [3, 3], padding: [1, 1], groups: 3 },
  "two groups of 21": { channels: [42, 42], size: [4, 5], kernel: [1, 1], groups: 2 },
  depthwise: { n: 2, channels: [21, 21], size: [9, 7], kernel: [3, 3], padding: [1, 2], stride: [2, 1], groups: 21 },
  "bilinear upsampling 64x64, stride 32, one filter a channel": {
    channels: [3, 3],
    size: [128, 160],
    kernel: [64, 64],
    stride: [32, 32],
    groups: 3,
  },
  "stride 32 dense with all of the output padding": {
    channels: [2, 3],
    size: [127, 95],
    kernel: [32, 32],
    stride: [32, 32],
  },
};

const variants: Record<string, { options: DeviceOptions; runs: number }> = {
  "the adapter's own limits and features": { options: {}, runs: 25 },
  "no subgroups": { options: { subgroups: false }, runs: 25 },
  "default limits": { options: { limits: "default" }, runs: 10 },
  "poisoned buffers": { options: { debug: { poison: true } }, runs: 15 },
  "poisoned buffers, no subgroups": { options: { subgroups: false, debug: { poison: true } }, runs: 15 },
};

function useDevice(options: DeviceOptions): () => Device {
  let device: Device | undefined;
  beforeAll(async () => {
    device = await createDevice({ quiet: true, ...options });
  });
  afterAll(() => device?.destroy());
  return () => device!;
}

describe.each(Object.entries(variants))("convolution on a device with %s", (_, { options, runs }) => {
  const device = useDevice(options);

  it("has the features asked for", () => {
    if (options.subgroups === false) expect(device().capabilities.subgroupSize).toBe(0);
    if (options.limits === "default") expect(device().limits.maxStorageBufferBindingSize).toBe(2 ** 27);
  });

  describe.each(directions)("%s", (direction) => {
    it.each(Object.entries(cases))("%s", async (_, c) => checkAgainstReference(device(), direction, geometryOf(c)));

    it("equals the reference, value and gradients, on random shapes", async () => {
      await assertProperty(geometries(), runs, (g) => checkAgainstReference(device(), direction, g));
    });
  });

  it("is the adjoint of its transpose", async () => {
    for (const c of Object.values(cases)) await checkAdjoint(device(), geometryOf(c));
    await assertProperty(geometries(), runs, (g) => checkAdjoint(device(), g));
  });
});

describe("one filter a channel, with images one after the other in a binding", () => {
  const device = useDevice({});

  it.each([5, 8])("of %i channels, dilated", async (channels) => {
    const size = { size: [11, 9], kernel: [3, 2], padding: [3, 2], dilation: [2, 3] } as const;
    await checkPlans(device(), geometryOf({ n: 3, channels: [channels, channels], groups: channels, ...size }));
  });
});

/** Larger than a binding of 4096 bytes in the images, in the weight, or in both. */
const inParts: Record<string, ConvCase> = {
  "vector channels": { n: 2, channels: [8, 8], size: [24, 9], kernel: [3, 3], padding: [1, 1] },
  "odd channels": { n: 2, channels: [5, 3], size: [21, 17], kernel: [3, 3], padding: [1, 1] },
  "stride above the kernel": { n: 3, channels: [3, 5], size: [40, 13], kernel: [2, 3], stride: [3, 4] },
  "padding above the kernel": { channels: [4, 4], size: [24, 20], kernel: [2, 3], padding: [5, 4] },
  "last rows that see only padding": {
    channels: [9, 3],
    size: [17, 16],
    kernel: [1, 1],
    stride: [5, 1],
    padding: [1, 0],
    groups: 3,
  },
  "dilation and stride": {
    channels: [4, 3],
    size: [41, 19],
    kernel: [3, 3],
    stride: [2, 3],
    dilation: [4, 2],
    padding: [3, 1],
  },
  groups: { n: 2, channels: [6, 8], size: [23, 15], kernel: [3, 1], groups: 2, padding: [1, 0] },
  "one filter a channel": { n: 2, channels: [5, 5], size: [24, 17], kernel: [3, 2], padding: [1, 1], groups: 5 },
  "one filter a channel, vectors": {
    n: 2,
    channels: [8, 8],
    size: [25, 11],
    kernel: [2, 3],
    stride: [2, 1],
    padding: [1, 2],
    groups: 8,
  },
  "a large weight": { n: 2, channels: [21, 24], size: [3, 4], kernel: [3, 3], padding: [1, 1] },
  "a large weight of odd rows": { n: 2, channels: [24, 21], size: [4, 3], kernel: [3, 3], padding: [1, 1] },
  "large images and a large weight": { n: 2, channels: [16, 16], size: [12, 10], kernel: [3, 3], padding: [1, 1] },
};

const limitedVariants: Record<string, DeviceOptions> = {
  "the adapter's features": {},
  "no subgroups": { subgroups: false },
  "poisoned buffers": { debug: { poison: true } },
};

describe.each(Object.entries(limitedVariants))("convolution over bindings of 4096 bytes, %s", (_, options) => {
  const device = useDevice({ ...options, bindingLimit: 4096 });
  const plans = (g: Conv2dGeometry) => [
    ...directions.map((direction) => planConv2d(g, direction, true, device().capabilities)),
    planConv2dWeightGradient(g, device().capabilities),
  ];

  it.each(Object.entries(inParts))("%s", async (_, c) => {
    const g = geometryOf(c);
    // Without a part in each plan this case would show nothing.
    for (const plan of plans(g)) {
      const operands = plan?.steps.flatMap((step) => Object.values(step.operands)) ?? [];
      expect(plan!.steps.length > 1 || operands.some((operand) => typeof operand !== "string")).toBe(true);
    }
    await checkPlans(device(), g);
  });

  it("equals the reference on random shapes whose rows fit", async () => {
    const fitting = geometries().filter((g) => plans(g).every((plan) => plan !== undefined));
    await assertProperty(fitting, 20, (g) => checkPlans(device(), g));
  });

  it("refuses rows that do not fit with the numbers", async () => {
    const g = geometryOf({ channels: [64, 64], size: [2, 40], kernel: [1, 1] });
    const refused = expect(checkPlans(device(), g)).rejects;
    await refused.toMatchObject({ code: "limit-exceeded", message: expect.stringContaining("4096") });
  });
});
