import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { createDevice, type Device, io, nn, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { caffemodel } from "../../support/caffe.js";
import { dict, pickle, storage, string, tensor, torchLegacy, torchZip } from "../../support/pickle.js";
import { refusal } from "../../support/refusals.js";

let device: Device;
let folder: string;
beforeAll(async () => {
  device = await createDevice();
  folder = await mkdtemp(joinPath(tmpdir(), "weights-"));
});
afterAll(async () => {
  device?.destroy();
  await rm(folder, { recursive: true, force: true });
});

const f32 = (shape: number[], ...values: number[]): io.HostArray => ({
  dtype: "float32",
  shape,
  data: Float32Array.from(values),
});
const WEIGHT = f32([2, 1, 1, 2], 1, 2, 3, 4);
const BIAS = f32([2], 5, 6);

/** The same two arrays in every format. */
async function everyFormat(): Promise<Record<string, [io.WeightsFormat, Uint8Array]>> {
  const arrays = { weight: WEIGHT, bias: BIAS };
  const data = pickle(
    dict(
      [string("weight"), tensor(storage("0", 4), 0, [2, 1, 1, 2], [2, 2, 2, 1])],
      [string("bias"), tensor(storage("1", 2), 0, [2], [1])],
    ),
  );
  const [w, b] = [WEIGHT, BIAS].map(({ data: values }) => new Uint8Array(values.buffer.slice(0))) as [
    Uint8Array,
    Uint8Array,
  ];
  const blobs = [WEIGHT, BIAS].map(({ shape, data: values }) => ({
    shape: { dim: shape },
    data: Array.from(values as Float32Array),
  }));
  return {
    safetensors: ["safetensors", await io.encodeSafetensors(arrays)],
    npz: ["npz", await io.encodeNpz(arrays)],
    "zip .pth": ["pth", torchZip(data, { 0: w, 1: b })],
    "legacy .pth": [
      "pth",
      torchLegacy(data, [
        ["0", 4, w],
        ["1", 2, b],
      ]),
    ],
    caffemodel: ["caffemodel", caffemodel({ layer: [{ name: "conv", type: "Convolution", blobs }] })],
  };
}
const rename = (name: string) => name.replace("conv.", "");

describe("openWeights", () => {
  it("tells the format from the content and reads on demand", async () => {
    for (const [name, [format, bytes]] of Object.entries(await everyFormat())) {
      const path = joinPath(folder, name.replaceAll(" ", "-"));
      await writeFile(path, bytes);
      for (const input of [bytes, path]) {
        const result = await io.openWeights(input, async (weights) => {
          expect(weights.format).toBe(format);
          expect(Object.keys(weights.arrays).map(rename).sort()).toEqual(["bias", "weight"]);
          const key = Object.keys(weights.arrays).find((candidate) => candidate.endsWith("weight"))!;
          expect(weights.arrays[key]).toMatchObject({ dtype: "float32", stored: "float32", shape: [2, 1, 1, 2] });
          expect(await weights.arrays[key]!.data()).toEqual(WEIGHT.data);
          const error = await refusal(weights.read("absent"));
          expect(error.message).toMatch(/openWeights: .* has no array "absent"; it has /);
          return weights.read(key);
        });
        expect(result).toEqual(WEIGHT);
      }
    }
  });

  it("takes the format from the caller where it is asked to", async () => {
    const { npz, safetensors } = await everyFormat();
    const error = await refusal(io.openWeights(npz![1], () => {}, { format: "pth" }));
    expect(error.message).toContain("it is a zip archive without data.pkl");
    expect((await refusal(io.openWeights(safetensors![1], () => {}, { format: "npz" }))).message).toContain(
      "it has no zip directory at its end",
    );
  });

  it.each<[string, Uint8Array, string]>([
    ["nothing", new Uint8Array(0), "it is empty"],
    ["an HDF5 file", Uint8Array.of(0x89, 0x48, 0x44, 0x46, 13, 10), "it is an HDF5 file"],
    ["one numpy array", Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0), "it is one array without a name"],
    [
      "text",
      new TextEncoder().encode("<hello>"),
      "it does not start like any format of weights (3c 68 65 6c 6c 6f 3e)",
    ],
    ["a web page", new TextEncoder().encode("<html>"), "it is a web page (HTML), not a file of weights"],
    [
      "a cut safetensors file",
      Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0x7b),
      "its header claims to have 4294967296 bytes",
    ],
  ])("refuses %s", async (_, bytes, problem) => {
    expect((await refusal(io.openWeights(bytes, () => {}))).message).toContain(problem);
  });

  it("refuses a format that it does not know, as loadWeights does", async () => {
    const bytes = await io.encodeSafetensors({ weight: WEIGHT, bias: BIAS });
    const options = { format: "onnx" as "pth" };
    const known = 'format is "onnx", expected "safetensors", "npz", "pth" or "caffemodel"';
    expect(await refusal(io.openWeights(bytes, () => {}, options))).toMatchObject({
      code: "invalid-argument",
      message: `openWeights: ${known}`,
    });
    await device.scope(async () => {
      const net = new nn.Conv2d(device, 1, 2, { kernelSize: [1, 2] });
      expect(await refusal(io.loadWeights(net, bytes, options))).toMatchObject({
        code: "invalid-argument",
        message: `loadWeights: ${known}`,
      });
    });
  });

  it("ends with its function", async () => {
    const path = joinPath(folder, "closing.safetensors");
    await io.writeSafetensors(path, { weight: WEIGHT });
    const late = await io.openWeights(path, (weights) => ({ weights }));
    expect(await refusal(late.weights.read("weight"))).toMatchObject({ code: "closed-file" });
    await expect(
      io.openWeights(path, () => {
        throw new Error("mine");
      }),
    ).rejects.toThrow("mine");
  });

  it("gives writers what they read one by one", async () => {
    const { npz } = await everyFormat();
    const path = joinPath(folder, "from-npz.safetensors");
    await io.openWeights(npz![1], ({ arrays }) => io.writeSafetensors(path, arrays, { metadata: { from: "npz" } }));
    expect(await io.readSafetensors(path)).toEqual({ weight: WEIGHT, bias: BIAS });
    expect(await io.openWeights(path, ({ metadata }) => metadata)).toEqual({ from: "npz" });
  });
});

describe("loadWeights", () => {
  const conv = () => new nn.Conv2d(device, 1, 2, { kernelSize: [1, 2], seed: 1 });
  const values = async (tensor: Tensor | undefined) => Array.from(await tensor!.data());

  it("fills a module from every format", async () => {
    for (const [, bytes] of Object.values(await everyFormat())) {
      await device.scope(async () => {
        const net = conv();
        const { weight } = net;
        const report = await io.loadWeights(net, bytes, { rename });
        expect({ ...report, copied: [...report.copied].sort() }).toEqual({
          copied: ["bias", "weight"],
          reshaped: [],
          skipped: [],
          missing: [],
          unexpected: [],
        });
        expect(net.weight).toBe(weight);
        expect(await values(net.weight)).toEqual([1, 2, 3, 4]);
        expect(await values(net.bias)).toEqual([5, 6]);
      });
    }
  });

  it("checks everything before it writes anything", async () => {
    await device.scope(async () => {
      const net = conv();
      const before = [await values(net.weight), await values(net.bias)];
      const file = await io.encodeSafetensors({ weight: WEIGHT, bias: f32([3], 1, 2, 3), more: BIAS });
      const error = await refusal(io.loadWeights(net, file));
      expect(error).toMatchObject({
        code: "state-dict-mismatch",
        message:
          "loadWeights: nothing was loaded; unexpected: more | of the wrong shape: bias is [3], the module has [2]",
      });
      expect([await values(net.weight), await values(net.bias)]).toEqual(before);
      expect(await io.loadWeights(net, file, { strict: false })).toEqual({
        copied: ["weight"],
        reshaped: [],
        skipped: ["bias"],
        missing: [],
        unexpected: ["more"],
      });
      expect([await values(net.weight), await values(net.bias)]).toEqual([[1, 2, 3, 4], before[1]]);
    });
  });

  it("renames, leaves out, and refuses two arrays for one name", async () => {
    await device.scope(async () => {
      const net = conv();
      const file = await io.encodeSafetensors({ "a.weight": WEIGHT, "a.bias": BIAS, "b.bias": f32([2], 9, 9) });
      const first = (name: string) => (name.startsWith("a.") ? name.slice(2) : undefined);
      expect((await io.loadWeights(net, file, { rename: first })).unexpected).toEqual([]);
      expect(await values(net.bias)).toEqual([5, 6]);
      const error = await refusal(io.loadWeights(net, file, { rename: (name) => name.slice(2) }));
      expect(error.message).toBe("loadWeights: rename makes bias of both a.bias and b.bias");
    });
  });

  it("reshapes where it is asked to, as Caffe copies blobs", async () => {
    await device.scope(async () => {
      const net = conv();
      const file = await io.encodeSafetensors({ weight: f32([2, 2], 1, 2, 3, 4), bias: f32([1, 1, 1, 2], 5, 6) });
      const error = await refusal(io.loadWeights(net, file));
      expect(error.message).toContain(
        "weight is [2, 2], the module has [2, 1, 1, 2]; bias is [1, 1, 1, 2], the module has [2]",
      );
      expect(error.fix).toContain("{ reshape: true }");
      const report = await io.loadWeights(net, file, { reshape: true });
      expect(report).toMatchObject({ copied: [], skipped: [] });
      expect([...report.reshaped].sort()).toEqual(["bias", "weight"]);
      expect([await values(net.weight), await values(net.bias)]).toEqual([
        [1, 2, 3, 4],
        [5, 6],
      ]);
    });
  });

  it("converts what is stored as other numbers", async () => {
    await device.scope(async () => {
      const net = conv();
      const wide = { dtype: "float64", shape: [2], data: Float64Array.of(0.1, 2) } as const;
      const long = { dtype: "int64", shape: [2, 1, 1, 2], data: BigInt64Array.of(1n, 2n, 3n, 4n) } as const;
      await io.loadWeights(net, await io.encodeNpz({ weight: long, bias: wide }));
      expect([await values(net.weight), await values(net.bias)]).toEqual([
        [1, 2, 3, 4],
        [Math.fround(0.1), 2],
      ]);
    });
  });
});
