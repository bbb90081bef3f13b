import { models } from "@fcn/core";
import { createDevice, type Device, noGrad, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const OPTIONS = { numClasses: 3, widthMultiplier: 1 / 64, seed: 1 };

type Heads = Record<string, Tensor>;

/** A net that returns the value of every node. */
function exposed(name: string): { net: models.GraphNet<Heads>; channels: number } {
  const { graph, options } = models.graphOf(name, OPTIONS);
  const outputs = Object.fromEntries(graph.nodes.map((node) => [node.name, node.name]));
  return { net: new models.GraphNet<Heads>(device, { ...graph, outputs }, 1).eval(), channels: options.inChannels };
}

describe("every model of the zoo", () => {
  it.each(models.list())("%s returns images of odd sizes, and describe agrees with what runs", async (name) => {
    const { graph } = models.graphOf(name, OPTIONS);
    const { net, channels } = exposed(name);
    for (const [n, height, width] of [
      [2, 33, 47],
      [1, 65, 64],
      [1, 1, 1],
    ] as const) {
      await device.scope(async () => {
        const values = noGrad(() => net.forward(device.rand([n, channels, height, width], { seed: 1 })));
        for (const row of models.describe(name, { ...OPTIONS, height, width })) {
          expect(values[row.name]?.shape, `${name} ${row.name}`).toEqual([n, ...row.shape]);
        }
        for (const [head, node] of Object.entries(graph.outputs)) {
          const logits = values[node] as Tensor;
          expect(logits.shape, head).toEqual([n, 3, height, width]);
          expect((await logits.data()).every(Number.isFinite), head).toBe(true);
        }
      });
    }
    net.dispose();
  });
});
