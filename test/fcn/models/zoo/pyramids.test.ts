import { models } from "@fcn/core";
import { createDevice, type Device, noGrad, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readGolden, tensorOf } from "../../../support/golden.js";
import { image, labels, type StartEntry, startState } from "../../../support/hash-values.js";
import { lossesOf } from "../../../support/learning.js";
import { expectOutput, headsOf, type OutputSummary } from "../../../support/output-samples.js";

interface Output extends OutputSummary {
  head: string;
  height: number;
  width: number;
  step: number;
}

interface Golden {
  classes: number;
  narrow: number;
  nets: Record<string, { entries: StartEntry[]; outputs: Output[] }>;
}

const file = readGolden("pyramid_nets");
const golden = JSON.parse(file.metadata.golden ?? "{}") as Golden;

/** Of the range of the output; PyTorch's own float32 stays within 2e-6. */
const AGREEMENT = 2e-5;

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const options = { numClasses: golden.classes, widthMultiplier: 1 / golden.narrow };

/** The net with the heads that the golden file has: of an FPN also the levels of the pyramid. */
function graphOf(name: string): models.Graph {
  const { graph } = models.graphOf(name, options);
  if (!name.startsWith("fpn")) return graph;
  const levels = [0, 1, 2, 3].map((i) => [`p${i + 2}`, `fpn.layer_blocks.${i}.0`]);
  return { ...graph, outputs: { ...graph.outputs, ...Object.fromEntries(levels) } };
}

describe("FPN, Semantic FPN, separate predictions and U-Net give PyTorch's outputs from the same state dict", () => {
  it.each(Object.entries(golden.nets))("%s", async (name, { entries, outputs }) => {
    const net = new models.GraphNet<Tensor | Record<string, Tensor>>(device, graphOf(name), 1).eval();
    net.loadStateDict(startState("pyramid", entries), { strict: true });
    const sizes = new Map(outputs.map((o) => [`${o.height}x${o.width}`, [o.height, o.width] as const]));
    expect(sizes.size).toBe(3);
    for (const [size, [height, width]] of sizes) {
      await device.scope(async () => {
        const x = image("pyramid/image", labels(1, height, width, golden.classes), 3);
        const heads = headsOf(noGrad(() => net.forward(device.tensor(x.data, [...x.shape]))));
        const wanted = outputs.filter((o) => o.height === height && o.width === width);
        expect(Object.keys(heads).sort()).toEqual(wanted.map(({ head }) => head).sort());
        for (const want of wanted) {
          const samples = tensorOf(file, `${name}.${size}.${want.head}`);
          const how = { samples, step: want.step, share: AGREEMENT };
          await expectOutput(`${name} ${size} ${want.head}`, heads[want.head] as Tensor, want, how);
        }
      });
    }
    net.dispose();
  });
});

describe("the state dict of an FPN", () => {
  it("loads under the names of older torchvision versions too", async () => {
    await device.scope(async () => {
      const { entries } = golden.nets["fpn-resnet18"] as Golden["nets"][string];
      const state = startState("pyramid", entries);
      const older = Object.fromEntries(
        Object.entries(state).map(([key, value]) => [key.replace(/^(fpn\.\w+\.\d)\.0\./, "$1."), value]),
      );
      expect(Object.keys(older)).toContain("fpn.inner_blocks.3.weight");
      const net = models.create("fpn-resnet18", device, options);
      net.loadStateDict(older, { strict: true });
      const loaded = net.stateDict()["fpn.layer_blocks.2.0.bias"] as Tensor;
      expect(Array.from(await loaded.data())).toEqual(Array.from(state["fpn.layer_blocks.2.0.bias"]?.data ?? []));
      expect(() => net.loadStateDict({ ...state, ...older })).toThrow("unexpected: fpn.inner_blocks.0.weight");
    });
  });
});

describe("training from nothing", () => {
  it.each([
    ["fpn-resnet18", 1 / 16],
    ["semantic-fpn-resnet18", 1 / 16],
    ["hierarchy-resnet18", 1 / 16],
    ["unet-resnet18", 1 / 8],
    ["unet", 1 / 16],
  ])("of %s starts at ln C, reaches every parameter and learns", async (name, widthMultiplier) => {
    await device.scope(async () => {
      const net = models.create<Tensor>(name, device, { numClasses: 3, widthMultiplier, seed: 1 });
      const losses = await lossesOf(net, "pyramid/training", 2);
      expect(losses[0]).toBeCloseTo(Math.log(3), 5);
      expect(losses.at(-1)).toBeLessThan(0.6 * Math.log(3));
      for (const [key, parameter] of net.namedParameters()) {
        const gradient = await (parameter.grad as Tensor).data();
        expect(
          gradient.some((value) => value !== 0),
          key,
        ).toBe(true);
      }
    });
  });
});

describe("the classic U-Net", () => {
  it("needs no batch norm, and its convolutions then have biases", async () => {
    await device.scope(async () => {
      const net = models.create("unet", device, { numClasses: 2, widthMultiplier: 1 / 32, batchNorm: false });
      const keys = net.namedParameters().map(([name]) => name);
      expect(keys).toContain("down4.maxpool_conv.1.double_conv.3.bias");
      expect(keys.some((key) => key.includes("double_conv.1"))).toBe(false);
      expect((net.stateDict()["up1.up.weight"] as Tensor).shape).toEqual([32, 16, 2, 2]);
    });
  });
});
