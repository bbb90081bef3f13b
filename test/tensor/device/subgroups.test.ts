import { type Capabilities, type KernelTile, planConv2d, planConv2dWeightGradient } from "@fcn/kernels";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { globals } from "webgpu";
import { type ConvCase, geometryOf } from "../../support/convolution.js";
import { checkPlans } from "../../support/convolution-plans.js";

const { GPUAdapterInfo, GPUDevice } = globals as unknown as Record<string, { readonly prototype: object }>;
const LANES = 8;
const codes: string[] = [];
const restore: (() => void)[] = [];

/** Replaces a property of a class of Dawn until the tests are over. */
function replace(target: object, name: string, change: (was: PropertyDescriptor) => PropertyDescriptor): void {
  const was = Object.getOwnPropertyDescriptor(target, name) as PropertyDescriptor;
  Object.defineProperty(target, name, change(was));
  restore.push(() => Object.defineProperty(target, name, was));
}

let device: Device;
beforeAll(async () => {
  // The software adapter takes the words of one whose subgroups have 8 lanes or more, which it can be asked for.
  replace(GPUAdapterInfo!.prototype, "subgroupMaxSize", (was) => ({
    ...was,
    get(this: GPUAdapterInfo) {
      return 4 * this.subgroupMinSize;
    },
  }));
  replace(GPUDevice!.prototype, "createShaderModule", (was) => ({
    ...was,
    value(this: GPUDevice, descriptor: GPUShaderModuleDescriptor) {
      codes.push(descriptor.code);
      return was.value.call(this, descriptor);
    },
  }));
  device = await createDevice({ quiet: true, variants: ["subgroup"] });
});
afterAll(() => {
  device?.destroy();
  for (const undo of restore) undo();
});

const CASES: Readonly<Record<string, ConvCase>> = {
  "3x3": { channels: [8, 36], size: [9, 17], kernel: [3, 3], padding: [1, 1] },
  "odd channels": { n: 2, channels: [3, 21], size: [10, 9], kernel: [3, 2], stride: [2, 1], padding: [1, 0] },
};

describe("an adapter whose subgroups vary in size", () => {
  it.each(Object.entries(CASES))(
    "is asked for one size, and computes what the reference does: %s",
    async (_, shape) => {
      expect(device.info).toMatchObject({ subgroupMinSize: LANES, subgroupMaxSize: 4 * LANES });
      expect(device.capabilities.subgroupSize).toBe(LANES);
      const g = geometryOf(shape);
      const plans = (caps: Capabilities) => [
        planConv2d(g, "forward", true, caps)!,
        planConv2d(g, "transposed", true, caps)!,
        planConv2dWeightGradient(g, caps)!,
      ];
      const tunables = plans(device.capabilities).map(({ tunable }) => tunable!);
      // The software adapter takes long to compile tiles of more pixels.
      const isSmall = ({ variant, TM, TV }: KernelTile) => variant === "subgroup" && TM * TV === 8;
      const tuning = Object.fromEntries(tunables.map(({ key, candidates }) => [key, candidates.find(isSmall)!]));
      const caps = { ...device.capabilities, tuning };
      for (const { tunable } of plans(caps)) expect(tunable!.tile.variant).toBe("subgroup");
      await checkPlans(device, g, caps);
      const asking = codes.filter((code) => code.includes("enable subgroups;"));
      expect(asking.length).toBeGreaterThan(2);
      for (const code of asking) expect(code).toContain(`@compute @subgroup_size(${LANES})`);
      for (const code of codes) expect(code.includes("@subgroup_size")).toBe(code.includes("enable subgroups;"));
    },
  );
});
