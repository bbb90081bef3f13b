import { models, shiftAndStitch } from "@fcn/core";
import { createDevice, type Device, noGrad, type Tensor } from "@fcn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assertProperty } from "../../support/property.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

interface Step {
  readonly kind: "conv" | "maxPool";
  readonly kernelSize: number;
  readonly stride: number;
  readonly dilation: number;
}

/** A net of the given windows, padded in front of the first one only, with 3 scores. */
function chain(padding: number, steps: readonly Step[]): models.Graph {
  const builder = new models.GraphBuilder("chain");
  let last = builder.add("data", { kind: "input", channels: 2 });
  steps.forEach(({ kind, ...window }, i) => {
    const own = i === 0 && kind === "conv" ? { ...window, padding } : window;
    const layer = kind === "conv" ? ({ kind, outChannels: 4, ...own } as const) : ({ kind, ...own } as const);
    last = builder.add(`window${i}`, layer, last);
    if (kind === "conv") last = builder.add(`relu${i}`, { kind: "relu" }, last);
  });
  return builder.build({ out: builder.add("score", { kind: "conv", outChannels: 3, kernelSize: 1 }, last) });
}

const factorOf = (steps: readonly Step[]): number => steps.reduce((f, { stride }) => f * stride, 1);

/** The net and its a trous form, with the same weights. */
function pairOf(graph: models.Graph, layers?: readonly string[]): [models.GraphNet, models.GraphNet] {
  const strided = new models.GraphNet(device, graph, 5);
  const dense = new models.GraphNet(device, models.dilate(graph, layers), 6);
  dense.loadStateDict(strided.stateDict());
  return [strided.eval(), dense.eval()];
}

/** Largest difference over the cells at least `margin` from the border of either, and the largest value. */
async function compare(
  a: Tensor,
  b: Tensor,
  margin = 0,
): Promise<{ difference: number; scale: number; cells: number }> {
  const [c, h, w] = [a.shape[1] as number, ...a.shape.slice(2).map((size, i) => Math.min(size, b.shape[i + 2] ?? 0))];
  const [left, right] = [await a.data(), await b.data()];
  const at = (data: ArrayLike<number>, { shape }: Tensor, k: number, y: number, x: number): number =>
    data[(k * (shape[2] as number) + y) * (shape[3] as number) + x] ?? Number.NaN;
  let [difference, scale, cells] = [0, 0, 0];
  for (let k = 0; k < c; k++) {
    for (let y = margin; y < (h ?? 0) - margin; y++) {
      for (let x = margin; x < (w ?? 0) - margin; x++) {
        const value = at(left, a, k, y, x);
        difference = Math.max(difference, Math.abs(value - at(right, b, k, y, x)));
        scale = Math.max(scale, Math.abs(value));
        cells++;
      }
    }
  }
  return { difference, scale, cells };
}

const step = fc.record({
  kind: fc.constantFrom("conv" as const, "maxPool" as const),
  kernelSize: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 2 }),
});
const cases = fc
  .record({
    padding: fc.integer({ min: 0, max: 6 }),
    steps: fc.array(step, { minLength: 1, maxLength: 4 }),
    height: fc.integer({ min: 20, max: 34 }),
    width: fc.integer({ min: 20, max: 34 }),
    images: fc.integer({ min: 1, max: 2 }),
  })
  .filter(({ steps }) => factorOf(steps) <= 6);

describe("shift-and-stitch", () => {
  it("is the a trous net: same size, same values, on any net that is padded in front only", async () => {
    await assertProperty(cases, 16, async ({ padding, steps, height, width, images }) => {
      await device.scope(async () => {
        const [strided, dense] = pairOf(chain(padding, steps));
        const x = device.randn([images, 2, height, width], { seed: 3 });
        const [stitched, atrous] = noGrad(() => [
          shiftAndStitch(strided, x, { factor: factorOf(steps) }),
          dense.forward(x),
        ]);
        expect(stitched.shape).toEqual(atrous.shape);
        const [a, b] = [await stitched.data(), await atrous.data()];
        const scale = Array.from(a).reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
        for (const [i, value] of a.entries()) expect(Math.abs(value - (b[i] ?? Number.NaN))).toBeLessThan(1e-5 * scale);
      });
    });
  });

  it("holds the net's own output in every f-th place", async () => {
    await device.scope(async () => {
      const steps: Step[] = [
        { kind: "conv", kernelSize: 3, stride: 1, dilation: 1 },
        { kind: "maxPool", kernelSize: 2, stride: 2, dilation: 1 },
        { kind: "conv", kernelSize: 3, stride: 2, dilation: 1 },
      ];
      const [strided] = pairOf(chain(1, steps));
      const x = device.randn([1, 2, 21, 30], { seed: 8 });
      const [own, all] = noGrad(() => [strided.forward(x), shiftAndStitch(strided, x, { factor: 4 })]);
      const [coarse, fine] = [await own.data(), await all.data()];
      const [, c, h, w] = own.shape as [number, number, number, number];
      const [, , fineH, fineW] = all.shape as [number, number, number, number];
      for (let k = 0; k < c; k++) {
        for (let y = 0; y < h; y++) {
          for (let column = 0; column < w; column++) {
            expect(fine[(k * fineH + 4 * y) * fineW + 4 * column]).toBe(coarse[(k * h + y) * w + column]);
          }
        }
      }
    });
  });

  it("is the a trous form of a published net where no receptive field reaches the padding inside", async () => {
    await device.scope(async () => {
      const options = { numClasses: 3, widthMultiplier: 1 / 32, padding: 81 };
      const graph = models.subgraph(models.graphOf("fcn32s-vgg16", options).graph, "conv3_1");
      const [strided, dense] = pairOf(graph);
      // Without biases all is zero beyond the image, and then the padding changes nothing.
      const biases = Object.entries(strided.stateDict()).filter(([name]) => name.endsWith("bias"));
      const drawn = biases.map(([name, { shape }], i) => [name, device.randn(shape, { seed: i })] as const);
      for (const net of [strided, dense]) net.loadStateDict(Object.fromEntries(drawn), { strict: false });
      const x = device.rand([1, 3, 20, 27], { seed: 2 });
      const [stitched, atrous] = noGrad(() => [shiftAndStitch(strided, x, { factor: 4 }), dense.forward(x)]);
      const field = models.describeGraph(graph, 20, 27);
      const reach = field.find(({ name }) => name === "conv3_1")?.receptiveField as number;
      const { difference, scale, cells } = await compare(stitched, atrous, reach);
      expect(cells).toBeGreaterThan(10_000);
      expect(scale).toBeGreaterThan(0);
      expect(difference).toBeLessThan(1e-5 * scale);
      // At the rim the zeros of each layer lie further apart, so the two are not the same there.
      expect((await compare(stitched, atrous)).difference).toBeGreaterThan(1e-3 * scale);
    });
  });

  it("refuses a factor that is no whole number, and images without a batch", async () => {
    await device.scope(() => {
      const [net] = pairOf(chain(0, [{ kind: "conv", kernelSize: 1, stride: 1, dilation: 1 }]));
      expect(() => shiftAndStitch(net, device.zeros([1, 2, 8, 8]), { factor: 0.5 })).toThrow(/factor is 0.5/);
      expect(() => shiftAndStitch(net, device.zeros([2, 8, 8]), { factor: 2 })).toThrow(/x\.shape is \[2,8,8\]/);
    });
  });
});
