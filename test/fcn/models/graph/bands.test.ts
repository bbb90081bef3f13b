import { models } from "@fcn/core";
import { createDevice, type Device, type DeviceOptions, noGrad, slice, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bandsOf, type Chain, chainsOf, runInBands } from "../../../../packages/fcn/src/models/graph/bands.js";
import { geometryOf } from "../../../../packages/fcn/src/models/graph/geometry/shapes.js";
import { stagesOf } from "../../../../packages/fcn/src/models/graph/stages.js";

const DEVICES: Readonly<Record<string, DeviceOptions>> = {
  "the adapter's own limits": { debug: { poison: true } },
  "small bindings": { bindingLimit: 2 ** 16, debug: { poison: true } },
};

const devices: Record<string, Device> = {};
beforeAll(async () => {
  for (const [name, options] of Object.entries(DEVICES)) {
    devices[name] = await createDevice({ quiet: true, ...options });
  }
});
afterAll(() => {
  for (const device of Object.values(devices)) device.destroy();
});

/** Layers one after the other, named after their places, on an image. */
function chainGraph(layers: readonly models.Layer[], channels = 3): models.Graph {
  const builder = new models.GraphBuilder("test");
  let last = builder.add("data", { kind: "input", channels });
  for (const [index, layer] of layers.entries()) last = builder.add(`${index}`, layer, last);
  return builder.build({ out: last });
}

const conv = (outChannels: number, rest: Partial<models.Layer> = {}): models.Layer =>
  ({ kind: "conv", outChannels, kernelSize: 3, padding: 1, ...rest }) as models.Layer;
const relu: models.Layer = { kind: "relu" };
const pool: models.Layer = { kind: "maxPool", kernelSize: 2, stride: 2, ceilMode: true };
const names = (chains: ReadonlyMap<number, Chain>): (readonly [number, string[]])[] =>
  [...chains].map(([index, chain]) => [index, chain.map(({ name }) => name)] as const);
const chainsIn = (graph: models.Graph) => names(chainsOf(stagesOf(graph), graph.outputs));

describe("chains", () => {
  it("go from the image or a pool to the next pool", () => {
    const found = chainsIn(chainGraph([conv(4), relu, conv(4), relu, pool, conv(8), relu, pool, conv(8), relu]));
    expect(found).toEqual([
      [1, ["1", "3", "4"]],
      [4, ["6", "7"]],
    ]);
  });

  it("begin after what is read twice, what is a head, and what is not local", () => {
    const builder = new models.GraphBuilder("test");
    const data = builder.add("data", { kind: "input", channels: 4 });
    const twice = builder.add("twice", conv(4), data);
    const first = builder.add("first", pool, builder.add("a", conv(4), twice));
    const sum = builder.add("sum", { kind: "add" }, builder.add("b", conv(4), first), builder.add("c", relu, first));
    const second = builder.add("second", pool, builder.add("d", conv(4), sum));
    const dropped = builder.add("drop", { kind: "dropout", p: 0.5 }, second);
    const third = builder.add("third", pool, builder.add("e", conv(4), dropped));
    const head = builder.add("head", conv(4), third);
    const graph = builder.build({ out: builder.add("last", pool, head), aux: head, twice });
    expect(chainsIn(graph).map(([, own]) => own)).toEqual([
      ["a", "first"],
      ["d", "second"],
      ["e", "third"],
    ]);
  });

  it("are none where a pool follows nothing local, and before average pools", () => {
    expect(chainsIn(chainGraph([pool, conv(4), relu]))).toEqual([]);
    expect(chainsIn(chainGraph([conv(4), { kind: "avgPool", kernelSize: 2 }]))).toEqual([]);
  });
});

describe("bands of VGG16's first stage", () => {
  const { graph } = models.graphOf("fcn8s-vgg16", { numClasses: 21 });
  const [chain] = [...chainsOf(stagesOf(graph), graph.outputs).values()] as [Chain];
  const bands = bandsOf(chain, geometryOf(graph)(500, 500).shapes, 4);

  it("are four of about 30 MiB, with the rows above and below that they read", () => {
    expect(chain.map(({ name }) => name)).toEqual(["relu1_1", "relu1_2", "pool1"]);
    expect(bands?.map((band) => band.map(({ rows }) => rows))).toEqual([
      [
        [0, 79],
        [0, 177],
        [0, 176],
      ],
      [
        [75, 255],
        [175, 353],
        [176, 352],
      ],
      [
        [251, 431],
        [351, 529],
        [352, 528],
      ],
      [
        [427, 500],
        [527, 698],
        [528, 698],
      ],
    ]);
    expect(bands?.map(([first]) => first?.padding)).toEqual([
      [100, 0],
      [0, 0],
      [0, 0],
      [0, 100],
    ]);
  });

  it("are none for images of which no map is large", () => {
    expect(bandsOf(chain, geometryOf(graph)(300, 300).shapes, 4)).toBeUndefined();
    expect(bandsOf(chain, geometryOf(graph)(300, 300).shapes, 8)).toHaveLength(4);
  });

  it("are none before a pool whose result is hardly smaller", () => {
    const flat = chainGraph([conv(64), { kind: "maxPool", kernelSize: 3, padding: 1 }]);
    const [own] = [...chainsOf(stagesOf(flat), flat.outputs).values()] as [Chain];
    expect(bandsOf(own, geometryOf(flat)(1000, 1000).shapes, 4)).toBeUndefined();
  });
});

type Host = ArrayLike<number>;

/** What a graph that is one chain gives whole and in bands whose maps take at most `band` bytes. */
async function bothWays(device: Device, graph: models.Graph, shape: readonly number[], band: number) {
  const [n = 0, , height = 0, width = 0] = shape;
  const [chain] = [...chainsOf(stagesOf(graph), graph.outputs).values()] as [Chain];
  const bands = bandsOf(chain, geometryOf(graph)(height, width).shapes, n * 4, { whole: 0, band }) ?? [];
  return device.scope(async () => {
    const net = new models.GraphNet(device, graph, 3);
    net.eval();
    const modules = new Map(net.namedChildren());
    const x = device.randn(shape, { seed: 5 });
    const run = (): Tensor => runInBands(chain, bands, x, ({ name }) => modules.get(name));
    const [whole, inBands] = [noGrad(() => net.forward(x)), noGrad(run)];
    expect(inBands.shape).toEqual(whole.shape);
    return { count: bands.length, whole: await whole.data(), inBands: await inBands.data() };
  });
}

const largest = (values: Host): number => Array.from(values).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
const difference = (a: Host, b: Host): number => largest(Array.from(a, (v, i) => v - (b[i] as number)));

/** Layers before a pool, and the sizes of their image. */
const CHAINS: Readonly<Record<string, readonly [models.Layer[], readonly number[]]>> = {
  "a padding of many rows": [
    [conv(8, { padding: 30 }), relu, conv(8), relu, pool],
    [2, 3, 33, 20],
  ],
  "strides, dilations and uneven padding": [
    [
      conv(8, {
        stride: 2,
        padding: [
          [2, 3],
          [0, 1],
        ],
      }),
      conv(8, { kernelSize: [5, 1], dilation: [2, 1], padding: [3, 2] }),
      { kind: "batchNorm" },
      { kind: "relu6" },
      { kind: "maxPool", kernelSize: 3, stride: 2, padding: 1 },
    ],
    [1, 3, 97, 41],
  ],
  "padding same": [
    [
      conv(8, { kernelSize: 4, stride: 3, padding: "same" }),
      { kind: "maxPool", kernelSize: 3, stride: 2, padding: "same" },
    ],
    [1, 3, 113, 40],
  ],
  "layers without parameters": [
    [relu, { kind: "lrn", size: 3, alpha: 0.1, beta: 0.75 }, { kind: "scale", factor: 2 }, pool],
    [3, 3, 61, 50],
  ],
  "windows that overlap and end beyond the image": [
    [conv(8, { padding: 0 }), { kind: "maxPool", kernelSize: 5, stride: 3, padding: 2, ceilMode: true }],
    [1, 3, 80, 40],
  ],
  "rows that no window reaches": [
    [conv(8), { kind: "maxPool", kernelSize: 3, stride: 4 }],
    [1, 3, 62, 40],
  ],
};

describe.each(Object.keys(DEVICES))("a chain in bands, %s", (kind) => {
  it.each(Object.keys(CHAINS))("gives the same bits as whole: %s", async (name) => {
    const [layers, shape] = CHAINS[name] as (typeof CHAINS)[string];
    const { count, whole, inBands } = await bothWays(devices[kind] as Device, chainGraph(layers), shape, 2 ** 14);
    expect(count).toBeGreaterThan(1);
    expect(difference(inBands, whole)).toBe(0);
    expect(largest(whole)).toBeGreaterThan(0.1);
  });

  it("gives the same bits as whole where the last convolution is by minimal filtering", async () => {
    const graph = chainGraph([conv(32), relu, conv(32), relu, pool]);
    const { count, whole, inBands } = await bothWays(devices[kind] as Device, graph, [1, 3, 81, 60], 2 ** 17);
    expect(count).toBe(4);
    expect(difference(inBands, whole)).toBe(0);
  });

  // Their tiles begin at other places than in the whole image; narrow bands and small bindings change the kernel.
  it("differs by roundings where others are", async () => {
    const graph = chainGraph([conv(32), relu, conv(32), relu, conv(32), relu, pool]);
    const { count, whole, inBands } = await bothWays(devices[kind] as Device, graph, [1, 3, 61, 60], 2 ** 15);
    expect(count).toBe(8);
    expect(difference(inBands, whole)).toBeLessThan(1e-5 * largest(whole));
  });
});

describe("a net", () => {
  const graph = chainGraph([conv(16), relu, conv(16), { kind: "batchNorm" }, relu, pool, conv(2)]);
  const SIDE = 1030;
  /** A map of 16 channels of an image, in bytes. */
  const MAP = 16 * SIDE * SIDE * 4;
  const device = (): Device => devices["the adapter's own limits"] as Device;

  it("predicts in bands if a map is large: the same bits in less memory, captured too", async () => {
    await device().scope(async () => {
      const net = new models.GraphNet(device(), graph, 3);
      net.eval();
      const x = device().randn([1, 3, SIDE, SIDE], { seed: 1 });
      await device().sync();
      const peakOf = async (run: () => Promise<Tensor> | Tensor) => {
        const { liveBytes } = device().memory();
        device().resetPeakMemory();
        const values = await (await run()).data();
        return { values, bytes: device().memory().peakBytes - liveBytes };
      };
      // What is recorded is never in bands.
      const whole = await peakOf(() => net.forward(x));
      const inBands = await peakOf(() => noGrad(() => net.forward(x)));
      expect(inBands.values).toEqual(whole.values);
      expect(whole.bytes).toBeGreaterThan(2 * MAP);
      expect(inBands.bytes).toBeLessThan(1.3 * MAP);
      const captured = device().capture((image: Tensor) => noGrad(() => net.forward(image)));
      for (let call = 0; call < 3; call++) {
        const again = await captured(x);
        expect(difference(await again.data(), whole.values)).toBe(0);
        again.dispose();
      }
      captured.dispose();
    });
  });

  it("predicts two images in float16 in bands as it does each whole", async () => {
    await device().scope(async () => {
      const net = new models.GraphNet(device(), graph, 3);
      net.eval();
      const both = device().randn([2, 3, SIDE, SIDE], { seed: 1 }).to("float16");
      const first = slice(both, [[0, 1]]);
      const [batch, single] = noGrad(() => [net.forward(both), net.forward(first)]);
      expect(batch?.dtype).toBe("float16");
      const [all, one] = [await batch!.data(), await single!.data()];
      expect(difference(all.subarray(0, one.length), one)).toBe(0);
    });
  });

  it("in training mode runs whole, since batch norm takes statistics of the whole image", async () => {
    await device().scope(async () => {
      const net = new models.GraphNet(device(), graph, 3);
      net.train();
      const x = device().randn([1, 3, SIDE, SIDE], { seed: 1 });
      const recorded = await net.forward(x).data();
      expect(difference(await noGrad(() => net.forward(x)).data(), recorded)).toBe(0);
    });
  });
});
