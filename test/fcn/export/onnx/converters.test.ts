import { models } from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CONVERTERS } from "../../../../packages/fcn/src/export/onnx/converters.js";
import { LAYER_KINDS } from "../../../../packages/fcn/src/models/graph/kinds/index.js";
import { decodeOnnx, structuralFaults } from "../../../support/onnx.js";
import { expectAgreement } from "../../../support/onnx-agreement.js";
import { assertProperty } from "../../../support/property.js";
import { fillWeights } from "../../../support/random-weights.js";

type Layer = models.Layer;
type Kind = Layer["kind"];

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const CHANNELS = 4;
const conv = { kind: "conv", outChannels: 6, kernelSize: 3 } as const;
const up = { kind: "convTranspose", outChannels: 4, kernelSize: 4, stride: 2 } as const;
const pool = { kernelSize: 3, stride: 2 } as const;
const lrn = { kind: "lrn", size: 5, alpha: 0.5, beta: 0.75 } as const;

/** Layers by kind. A second and third input are the image at half and a third of its size. */
const LAYERS: { readonly [K in Kind]: readonly (Layer & { readonly kind: K })[] } = {
  input: [],
  conv: [
    conv,
    {
      ...conv,
      padding: [
        [1, 0],
        [0, 2],
      ],
      stride: [2, 3],
      bias: false,
    },
    { ...conv, groups: 2, dilation: 2, padding: 2 },
    { ...conv, kernelSize: [1, 5], padding: [0, 2], outChannels: 4, groups: 4 },
    { ...conv, padding: "same" },
    { ...conv, padding: "same", stride: 2 },
    { ...conv, padding: "same", kernelSize: [4, 5], stride: [3, 1] },
    { ...conv, padding: "same", kernelSize: [2, 3], dilation: 2 },
    { ...conv, padding: "same", kernelSize: 1, stride: 2 },
  ],
  convTranspose: [up, { ...up, groups: 4, bias: true, padding: 1 }, { ...up, kernelSize: 3, learned: true }],
  maxPool: [
    { kind: "maxPool", ...pool },
    { kind: "maxPool", ...pool, ceilMode: true, padding: 1 },
    { kind: "maxPool", kernelSize: 2, stride: 2, padding: 1, ceilMode: true },
    {
      kind: "maxPool",
      kernelSize: [3, 2],
      stride: [3, 2],
      padding: [
        [1, 0],
        [1, 1],
      ],
      ceilMode: true,
    },
    { kind: "maxPool", ...pool, dilation: 2, padding: 1 },
    { kind: "maxPool", ...pool, padding: "same", ceilMode: true },
  ],
  avgPool: [
    { kind: "avgPool", ...pool },
    { kind: "avgPool", ...pool, padding: 1 },
    { kind: "avgPool", ...pool, padding: 1, countIncludePad: false, ceilMode: true },
    { kind: "avgPool", ...pool, padding: 1, ceilMode: true },
    { kind: "avgPool", kernelSize: 2, stride: 2, padding: 1, ceilMode: true },
    { kind: "avgPool", ...pool, padding: "same", countIncludePad: false },
    { kind: "avgPool", kernelSize: 3, stride: 1, padding: "same", countIncludePad: false },
  ],
  globalPool: [{ kind: "globalPool" }],
  batchNorm: [{ kind: "batchNorm" }, { kind: "batchNorm", eps: 0.5 }],
  groupNorm: [
    { kind: "groupNorm", groups: 2 },
    { kind: "groupNorm", groups: 4, eps: 0.1 },
  ],
  lrn: [lrn, { ...lrn, size: 3, k: 2, beta: 0.5 }],
  relu: [{ kind: "relu" }],
  relu6: [{ kind: "relu6" }],
  hardswish: [{ kind: "hardswish" }],
  hardsigmoid: [{ kind: "hardsigmoid" }],
  sigmoid: [{ kind: "sigmoid" }],
  dropout: [
    { kind: "dropout", p: 0.5 },
    { kind: "dropout", p: 0.5, channelwise: true },
  ],
  scale: [{ kind: "scale", factor: 7.5 }],
  add: [{ kind: "add" }],
  max: [{ kind: "max" }],
  gate: [{ kind: "gate" }],
  concat: [{ kind: "concat" }],
  slice: [{ kind: "slice", start: 1, end: 3 }],
  pad: [
    { kind: "pad", padding: 2 },
    {
      kind: "pad",
      padding: [
        [0, 1],
        [2, 3],
      ],
    },
  ],
  resize: [
    { kind: "resize", mode: "nearest" },
    { kind: "resize", mode: "bilinear" },
    { kind: "resize", mode: "bilinear", alignCorners: true },
    { kind: "resize", mode: "nearest", scaleFactor: 3 },
    { kind: "resize", mode: "bilinear", scaleFactor: 2 },
  ],
  crop: [{ kind: "crop" }, { kind: "crop", align: "topLeft" }],
};

type Inputs = (builder: models.GraphBuilder, data: string) => string[];

const padded: Inputs = (b, data) => [b.add("wide", { kind: "pad", padding: 3 }, data), data];
const reduced: Inputs = (b, data) => [b.add("small", { kind: "avgPool", kernelSize: 3, stride: 2 }, data), data];
const three: Inputs = (b, data) => [data, b.add("scaled", { kind: "scale", factor: -0.5 }, data), data];
const raised: Inputs = (b, data) => [b.add("raised", { kind: "scale", factor: 9 }, data)];
const pooled: Inputs = (b, data) => [data, b.add("pooled", { kind: "globalPool" }, raised(b, data)[0] as string)];

/** What a layer takes where it is not the image alone. */
const INPUTS: Partial<Record<Kind, Inputs>> = {
  relu6: raised,
  hardswish: raised,
  hardsigmoid: raised,
  gate: pooled,
  add: three,
  max: three,
  concat: three,
  resize: reduced,
  crop: padded,
};

/** Each layer after the image, one head a layer. */
function graphOf(kind: Kind, layers: readonly Layer[]): models.Graph {
  const builder = new models.GraphBuilder(kind);
  const data = builder.add("data", { kind: "input", channels: CHANNELS });
  const inputs = INPUTS[kind]?.(builder, data) ?? [data];
  const heads = layers.map((layer, i) => {
    const taken = "scaleFactor" in layer ? inputs.slice(0, 1) : inputs;
    return [`head${i}`, builder.add(`${kind}${i}`, layer, ...taken)];
  });
  return builder.build(Object.fromEntries(heads));
}

async function checkGraph(graph: models.Graph, sizes: readonly (readonly [number, number])[], opset = 13) {
  const net = new models.GraphNet<models.NetOutput>(device, graph, 0);
  try {
    fillWeights(net, graph.name);
    const images = sizes.map(([height, width]) => ({ batch: 2, height, width }));
    const model = decodeOnnx(await expectAgreement(net, device, images, { opset }));
    expect(structuralFaults(model)).toEqual([]);
  } finally {
    net.dispose();
  }
}

describe("the converters", () => {
  it("are one a kind of layer", () => {
    expect(Object.keys(CONVERTERS).sort()).toEqual([...LAYER_KINDS].sort());
    expect(Object.keys(LAYERS).sort()).toEqual([...LAYER_KINDS].sort());
  });

  // Every remainder of a division by 2 and 3.
  const SIZES = [
    [13, 18],
    [16, 15],
    [14, 17],
  ] as const;

  it.each(Object.entries(LAYERS).filter(([, layers]) => layers.length > 0))("agree on %s", async (kind, layers) => {
    await checkGraph(graphOf(kind as Kind, layers), SIZES);
  });

  it.each([15, 18, 21, 23])("agree on all kinds with opset %i", async (opset) => {
    const builder = new models.GraphBuilder("all");
    const data = builder.add("data", { kind: "input", channels: CHANNELS });
    const [wide = ""] = padded(builder, data);
    const [small = ""] = reduced(builder, data);
    const two: Partial<Record<string, string[]>> = {
      resize: [small, data],
      crop: [wide, data],
      gate: pooled(builder, data),
    };
    const heads = Object.entries(LAYERS).flatMap(([kind, [layer]]) => {
      if (layer === undefined) return [];
      const inputs = two[kind] ?? [data];
      return [[kind, builder.add(`${kind}_layer`, layer, ...inputs)] as const];
    });
    await checkGraph(builder.build(Object.fromEntries(heads)), [[15, 16]], opset);
  });
});

describe("windows of any geometry", () => {
  const axis = fc
    .record({
      kernel: fc.integer({ min: 1, max: 4 }),
      stride: fc.integer({ min: 1, max: 4 }),
      dilation: fc.integer({ min: 1, max: 2 }),
    })
    .chain(({ kernel, stride, dilation }) => {
      const half = Math.floor((dilation * (kernel - 1) + 1) / 2);
      return fc.record({
        kernel: fc.constant(kernel),
        stride: fc.constant(stride),
        dilation: fc.constant(dilation),
        before: fc.integer({ min: 0, max: half }),
        after: fc.integer({ min: 0, max: half }),
      });
    });
  const windows = fc.record({
    v: axis,
    h: axis,
    ceilMode: fc.boolean(),
    height: fc.integer({ min: 9, max: 14 }),
    width: fc.integer({ min: 9, max: 14 }),
  });

  it("agree in pools and convolutions", async () => {
    await assertProperty(windows, 25, async ({ v, h, ceilMode, height, width }) => {
      const window = {
        kernelSize: [v.kernel, h.kernel],
        stride: [v.stride, h.stride],
        dilation: [v.dilation, h.dilation],
        padding: [
          [v.before, v.after],
          [h.before, h.after],
        ],
      } as const;
      const { dilation: _, ...flat } = window;
      const even = { ...flat, padding: [fitting(v), fitting(h)] as const };
      const layers: Record<string, Layer> = {
        conv: { kind: "conv", outChannels: 2, ...window },
        maxPool: { kind: "maxPool", ...window, ceilMode },
        avgPool: { kind: "avgPool", ...even, ceilMode },
        bare: { kind: "avgPool", ...even, ceilMode, countIncludePad: false },
      };
      const builder = new models.GraphBuilder("windows");
      const data = builder.add("data", { kind: "input", channels: 2 });
      const heads = Object.entries(layers).map(([name, layer]) => [name, builder.add(`${name}1`, layer, data)]);
      await checkGraph(builder.build(Object.fromEntries(heads)), [[height, width]]);
    });
  });
});

/** Padding of an average pool: without dilation, alike on both sides. */
const fitting = ({ kernel, before }: { kernel: number; before: number }): number =>
  Math.min(before, Math.floor(kernel / 2));

describe("nearest resize", () => {
  it("takes the same pixels at every size", async () => {
    const builder = new models.GraphBuilder("nearest");
    const data = builder.add("data", { kind: "input", channels: 1 });
    const heads = [1, 2, 3, 5].map((kernelSize) => {
      const small = builder.add(`small${kernelSize}`, { kind: "maxPool", kernelSize, stride: 2 }, data);
      return [`head${kernelSize}`, builder.add(`large${kernelSize}`, { kind: "resize", mode: "nearest" }, small, data)];
    });
    const sizes = Array.from({ length: 24 }, (_, i) => [8, 110 + 5 * i] as const);
    await checkGraph(builder.build(Object.fromEntries(heads)), [[5, 114], ...sizes]);
  });
});
