import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { io } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { caffemodel } from "../../../support/caffe.js";
import { refusal } from "../../../support/refusals.js";
import { join } from "../../../support/zip.js";

const ramp = (count: number, start = 0) => Array.from({ length: count }, (_, i) => start + i / 2);
const f32 = (shape: number[], values: number[]): io.HostArray => ({
  dtype: "float32",
  shape,
  data: Float32Array.from(values),
});
const shaped = (dim: number[], data: number[]) => ({ shape: { dim }, data, diff: data.map((v) => -v) });
const legacy = ([num, channels, height, width]: number[], data: number[]) => ({ num, channels, height, width, data });

const V2 = {
  name: "net",
  layer: [
    { name: "data", type: "Input", top: ["data"] },
    {
      name: "conv1_1",
      type: "Convolution",
      bottom: ["data"],
      param: [{ lrMult: 1 }],
      blobs: [shaped([2, 3, 1, 2], ramp(12)), shaped([2], [7, 8])],
    },
    { name: "fc6", type: "InnerProduct", blobs: [shaped([2, 6], ramp(12, 3)), shaped([2], [1, 2])] },
    { name: "bn", type: "BatchNorm", blobs: [shaped([2], [1, 2]), shaped([2], [3, 4]), shaped([1], [0.5])] },
  ],
};
const V2_ARRAYS = {
  "conv1_1.weight": f32([2, 3, 1, 2], ramp(12)),
  "conv1_1.bias": f32([2], [7, 8]),
  "fc6.weight": f32([2, 6], ramp(12, 3)),
  "fc6.bias": f32([2], [1, 2]),
  "bn.weight": f32([2], [1, 2]),
  "bn.bias": f32([2], [3, 4]),
  "bn.2": f32([1], [0.5]),
};
const V1 = {
  name: "old",
  layers: [
    { name: "conv1", type: 4, blobs: [legacy([2, 1, 1, 2], ramp(4)), legacy([1, 1, 1, 2], [5, 6])], blobsLr: [1, 2] },
    { name: "relu1", type: 18 },
    { name: "fc8", type: 14, blobs: [legacy([1, 1, 2, 3], ramp(6))] },
  ],
};
const V1_ARRAYS = {
  "conv1.weight": f32([2, 1, 1, 2], ramp(4)),
  "conv1.bias": f32([1, 1, 1, 2], [5, 6]),
  "fc8.weight": f32([1, 1, 2, 3], ramp(6)),
};

describe.each([true, false])("readCaffemodel, packed %s", (packed) => {
  it("reads the newer format", async () => {
    expect(await io.readCaffemodel(caffemodel(V2, { packed }))).toEqual(V2_ARRAYS);
  });

  it("reads the old format with its four sizes", async () => {
    expect(await io.readCaffemodel(caffemodel(V1, { packed }))).toEqual(V1_ARRAYS);
  });

  it("reads double precision and layers without weights", async () => {
    const net = {
      layer: [{ name: "a", type: "X", blobs: [{ shape: { dim: [3] }, doubleData: [0.1, 2, -3] }, {}] }, { name: "b" }],
    };
    expect(await io.readCaffemodel(caffemodel(net, { packed }))).toEqual({
      "a.weight": { dtype: "float64", shape: [3], data: Float64Array.of(0.1, 2, -3) },
    });
  });

  it("reads blobs longer than its chunk", async () => {
    const values = Array.from({ length: 50_000 }, (_, i) => i % 1000);
    const net = { layer: [{ name: "a", blobs: [shaped([50_000], values), shaped([2], [1, 2])] }] };
    const read = await io.readCaffemodel(caffemodel(net, { packed }));
    expect(read).toEqual({ "a.weight": f32([50_000], values), "a.bias": f32([2], [1, 2]) });
  });
});

describe("openWeights of a .caffemodel", () => {
  it("knows name and layer types, and reads one blob at a time", async () => {
    await io.openWeights(caffemodel(V2), async ({ format, metadata, arrays, read }) => {
      expect(format).toBe("caffemodel");
      expect(metadata.name).toBe("net");
      expect(JSON.parse(metadata.layers!)).toEqual({
        data: "Input",
        conv1_1: "Convolution",
        fc6: "InnerProduct",
        bn: "BatchNorm",
      });
      expect(arrays["fc6.weight"]).toMatchObject({ dtype: "float32", shape: [2, 6] });
      expect(await read("fc6.bias")).toEqual(V2_ARRAYS["fc6.bias"]);
      expect(await arrays["bn.2"]!.data()).toEqual(Float32Array.of(0.5));
    });
    await io.openWeights(caffemodel(V1), ({ metadata }) => {
      expect(JSON.parse(metadata.layers!)).toEqual({ conv1: "Convolution", relu1: "ReLU", fc8: "InnerProduct" });
    });
  });

  it("skips what is not asked for: a file larger than memory may be", async () => {
    const folder = await mkdtemp(joinPath(tmpdir(), "caffemodel-"));
    try {
      const path = joinPath(folder, "large.caffemodel");
      const size = 5 * 2 ** 30;
      await writeSparse(path, size);
      const before = process.resourceUsage().maxRSS;
      const read = await io.openWeights(path, async (weights) => {
        expect(weights.arrays["big.weight"]?.shape).toEqual([size / 4]);
        return weights.read("small.weight");
      });
      expect(read).toEqual(f32([2], [3, 4]));
      expect(process.resourceUsage().maxRSS - before).toBeLessThan(50_000);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe("readCaffemodel", () => {
  const [a, b] = [
    { name: "a", blobs: [shaped([2], [1, 2])] },
    { name: "b", blobs: [shaped([2], [3, 4])] },
  ];
  const wire = (...values: number[]) => Uint8Array.from(values);
  it.each<[string, Uint8Array, string, string]>([
    [
      "no layer with weights",
      caffemodel({ name: "n", layer: [{ name: "x" }] }),
      "corrupt-file",
      "it has no layer with weights",
    ],
    [
      "too few numbers",
      caffemodel({ layer: [{ name: "a", blobs: [shaped([3], [1, 2])] }] }),
      "corrupt-file",
      "layer a, blob 0: its shape [3] needs 3 numbers, it has 2",
    ],
    [
      "a shape beyond 2^53",
      caffemodel({ layer: [{ name: "a", blobs: [shaped([2e9, 2e9, 2e9], [1])] }] }),
      "corrupt-file",
      "its shape is damaged",
    ],
    [
      "a negative size",
      caffemodel({ layer: [{ name: "a", blobs: [shaped([-1], [1])] }] }),
      "corrupt-file",
      "its shape is damaged",
    ],
    [
      "100 sizes",
      caffemodel({ layer: [{ name: "a", blobs: [shaped(Array(100).fill(1), [1])] }] }),
      "corrupt-file",
      "its shape is damaged",
    ],
    [
      "two precisions",
      caffemodel({ layer: [{ name: "a", blobs: [{ ...shaped([1], [1]), doubleData: [1] }] }] }),
      "corrupt-file",
      "single and double precision",
    ],
    ["a layer twice", caffemodel({ layer: [a, a] }), "corrupt-file", "two of its arrays are called a.weight"],
    [
      "the first format of all",
      caffemodel({ layers: [{ layer: wire(1) }] }),
      "unsupported-file",
      "in Caffe's first format (V0)",
    ],
    [
      "a name without end",
      caffemodel({ layer: [{ ...a, name: "x".repeat(2000) }] }),
      "corrupt-file",
      "a name of 2000 bytes",
    ],
    ["a field that reaches out", join(caffemodel({ layer: [b] }), wire(0x0a, 9)), "corrupt-file", "field at byte"],
    [
      "a varint without end",
      join(caffemodel({ layer: [b] }), wire(0x18, ...Array(10).fill(0xff))),
      "corrupt-file",
      "field at byte",
    ],
    ["a group", join(caffemodel({ layer: [b] }), wire(0x0b)), "corrupt-file", "field at byte"],
    ["field number 0", join(caffemodel({ layer: [b] }), wire(0x00, 1)), "corrupt-file", "field at byte"],
    [
      "numbers without a shape",
      caffemodel({ layer: [{ name: "a", blobs: [{ data: [1] }] }] }),
      "corrupt-file",
      "its shape [0, 0, 0, 0] needs 0 numbers, it has 1",
    ],
    ["nothing", new Uint8Array(0), "corrupt-file", "it has no layer with weights"],
  ])("refuses %s", async (_, file, code, problem) => {
    const error = await refusal(io.readCaffemodel(file));
    expect(error.code).toBe(code);
    expect(error.message).toContain(problem);
  });

  it("refuses numbers in thousands of pieces", async () => {
    const piece = Uint8Array.of(0x2a, 4, 0, 0, 128, 63);
    const blob = join(...Array.from({ length: 1500 }, () => piece));
    const length = (n: number) => Uint8Array.of((n & 0x7f) | 0x80, n >> 7);
    const layer = join(Uint8Array.of(0x3a), length(blob.length), blob);
    const file = join(Uint8Array.of(0xa2, 0x06), length(layer.length), layer);
    expect((await refusal(io.readCaffemodel(file))).message).toContain("its numbers lie in more than 1024 pieces");
  });

  it("stops at 65536 layers", async () => {
    const file = new Uint8Array(2 * 70_000);
    for (let i = 0; i < file.length; i += 2) file[i] = 0x12;
    expect((await refusal(io.readCaffemodel(file))).message).toContain("more than 65536 layers");
  });
});

/** A model whose first layer has `size` bytes of zeros, which a sparse file holds for nothing. */
async function writeSparse(path: string, size: number): Promise<void> {
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
  const field = (tag: number[], ...parts: Uint8Array[]) => {
    const payload = join(...parts);
    return join(Uint8Array.from([...tag, ...varint(payload.length)]), payload);
  };
  const text = new TextEncoder();
  const shape = field([0x3a], Uint8Array.from([0x08, ...varint(size / 4)]));
  const blobHead = join(shape, Uint8Array.from([0x2a, ...varint(size)]));
  const blobTag = Uint8Array.from([0x3a, ...varint(blobHead.length + size)]);
  const name = field([0x0a], text.encode("big"));
  const layerHead = Uint8Array.from([0xa2, 0x06, ...varint(name.length + blobTag.length + blobHead.length + size)]);
  const head = join(field([0x0a], text.encode("net")), layerHead, name, blobTag, blobHead);
  const file = await open(path, "w");
  try {
    await file.write(head, 0, undefined, 0);
    await file.write(
      caffemodel({ layer: [{ name: "small", blobs: [shaped([2], [3, 4])] }] }),
      0,
      undefined,
      head.length + size,
    );
  } finally {
    await file.close();
  }
}
