import { createDevice, io, nn } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { caffemodel } from "../../../support/caffe.js";
import { call, dict, global, pickle, string, torchZip } from "../../../support/pickle.js";
import { SIX, weight } from "../../../support/pth-files.js";
import { refusal } from "../../../support/refusals.js";
import { join, zip } from "../../../support/zip.js";

const golden = (name: string) => new URL(`../../../golden/pth/${name}`, import.meta.url);
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** A safetensors file of entries that lie one after another. */
function safetensors(
  entries: readonly (readonly [name: string, dtype: string, shape: readonly number[], bytes: number])[],
) {
  let at = 0;
  const header: Record<string, unknown> = {};
  for (const [name, dtype, shape, bytes] of entries) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes] };
    at += bytes;
  }
  const json = bytesOf(header);
  const length = new Uint8Array(new BigUint64Array([BigInt(json.length)]).buffer);
  const data = new Uint8Array(at);
  data.set(new Uint8Array(Float32Array.of(1, 2).buffer));
  return join(length, json, data);
}

/** What a reader gives and what it says of the rest. */
async function readAll(read: (options: io.ReadOptions) => Promise<Record<string, io.HostArray>>) {
  const skipped: Record<string, string> = {};
  const onSkipped = (name: string, reason: string): void => {
    skipped[name] = reason;
  };
  const arrays = await read({ onSkipped });
  return { arrays, skipped };
}

const W = { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) };

describe("a tensor of a kind that is not read", () => {
  const cases: [dtype: string, shape: number[], bytes: number][] = [
    ["C64", [3], 24],
    ["F8_E4M3", [5], 5],
    ["F8_E5M2", [2, 2], 4],
    ["F8_E8M0", [1], 1],
    ["F4", [3], 2],
    ["F6_E2M3", [4], 3],
    ["NEW", [4], 7],
  ];
  it.each(cases)("of a safetensors file is left out: %s", async (dtype, shape, bytes) => {
    const file = safetensors([
      ["w", "F32", [2], 8],
      ["odd", dtype, shape, bytes],
      ["last", "U16", [2], 4],
    ]);
    const { arrays, skipped } = await readAll((options) => io.readSafetensors(file, options));
    expect(arrays).toEqual({ w: W, last: { dtype: "uint16", shape: [2], data: Uint16Array.of(0, 0) } });
    expect(skipped).toEqual({ odd: `it has the dtype ${dtype}` });
    await io.openWeights(file, async (weights) => {
      expect(Object.keys(weights.arrays)).toEqual(["w", "last"]);
      expect(weights.skipped).toMatchObject([{ name: "odd", reason: `it has the dtype ${dtype}`, damaged: false }]);
      expect(await weights.read("w")).toEqual(W);
      const error = await refusal(weights.read("odd"));
      expect(error).toMatchObject({ code: "unsupported-file", fix: expect.stringContaining("F32") });
      expect(error.message).toContain(`tensor odd has the dtype ${dtype}`);
    });
  });

  it("must still lie in the file as it says", async () => {
    for (const [dtype, bytes] of [
      ["C64", 23],
      ["F8_E4M3", 4],
      ["F4", 3],
    ] as const) {
      const file = safetensors([
        ["w", "F32", [2], 8],
        ["odd", dtype, [3], bytes],
      ]);
      expect(await refusal(io.readSafetensors(file))).toMatchObject({ code: "corrupt-file" });
    }
    const whole = safetensors([
      ["w", "F32", [2], 8],
      ["odd", "C64", [3], 24],
    ]);
    expect(await refusal(io.readSafetensors(whole.slice(0, -1)))).toMatchObject({ code: "corrupt-file" });
  });

  it.each(["odd.pth", "odd.legacy.pth"])("of a PyTorch file is left out: %s", async (name) => {
    const { arrays, skipped } = await readAll((options) => io.readPth(golden(name), options));
    expect(Object.keys(arrays)).toEqual(["w", "after"]);
    expect(arrays.after?.data).toEqual(Float32Array.of(7, 7.5));
    expect(skipped).toEqual({
      complex: "it has the dtype complex64",
      sparse: "it is sparse",
      csr: "it is sparse",
      quantised: "it is quantised",
      meta: "it has no data",
      marked: "it is of the class __main__.Marked",
      sparse_parameter: "it is sparse",
      lazy: "it has no data",
    });
    const opaque = ["__main__.Marked"];
    const marked = await io.readPth(golden(name), { opaque });
    expect(marked.marked?.data).toEqual(marked.w?.data);
  });

  it.each([
    ["_rebuild_nested_tensor", "it is nested"],
    ["_rebuild_wrapper_subclass", "it is of a class of its own"],
    ["_rebuild_device_tensor_from_numpy", "it lies on another kind of device"],
  ])("of a PyTorch file is left out where torch._utils.%s makes it", async (name, reason) => {
    const odd = call(global("torch._utils", name), string("x"));
    const file = torchZip(pickle(dict([string("w"), weight], [string("odd"), odd])), { 0: SIX });
    const { arrays, skipped } = await readAll((options) => io.readPth(file, options));
    expect([Object.keys(arrays), skipped]).toEqual([["w"], { odd: reason }]);
  });

  it("of a .npz file is left out: text, objects, complex numbers, records, bytes, dates", async () => {
    const { arrays, skipped } = await readAll((options) => io.readNpz(golden("kinds.npz"), options));
    expect(arrays.w?.data).toEqual(Float64Array.of(0, 1, 2));
    expect(Object.keys(arrays)).toEqual(["w", "last"]);
    expect(Object.keys(skipped)).toEqual(["text", "objects", "complex", "record", "bytes", "date"]);
    expect(skipped.text).toContain("its dtype <U2 is not a supported number type");
  });

  it("of a .npz file is left out: other files, and members that are encrypted or packed in another way", async () => {
    const good = await io.encodeNpz({ w: W as io.HostArray });
    const npy = good.slice(good.indexOf(0x93), good.indexOf(0x93) + 136);
    const file = zip({
      "w.npy": { data: npy },
      "readme.txt": { data: new TextEncoder().encode("of which net") },
      "locked.npy": { data: npy, flags: 1 },
      "bz.npy": { data: npy, method: 12 },
    });
    const { arrays, skipped } = await readAll((options) => io.readNpz(file, options));
    expect(arrays).toEqual({ w: W });
    expect(skipped).toEqual({
      "readme.txt": "it does not start like a .npy file",
      locked: "it is encrypted",
      bz: "it is compressed by method 12",
    });
  });

  it("of a .caffemodel is left out: a blob whose numbers are of another Caffe", async () => {
    const shaped = (dim: number[], data: number[]) => ({ shape: { dim }, data });
    const layer = [
      { name: "half", blobs: [shaped([2], []), shaped([1], [3])] },
      { name: "a", blobs: [shaped([2], [1, 2])] },
    ];
    const { arrays, skipped } = await readAll((options) => io.readCaffemodel(caffemodel({ layer }), options));
    expect(arrays).toMatchObject({ "a.weight": W, "half.bias": { shape: [1] } });
    expect(skipped["half.weight"]).toContain("it has a shape, but no numbers");
  });

  it("of a TensorFlow.js model is left out: text and complex numbers, wherever they stand", async () => {
    const weights = [
      { name: "text", dtype: "string", shape: [2] },
      { name: "w", dtype: "float32", shape: [2] },
      { name: "spectrum", dtype: "complex64", shape: [1] },
      { name: "last", dtype: "uint8", shape: [1] },
    ];
    const values = new Uint8Array(Float32Array.of(1, 2).buffer);
    const shard = join(Uint8Array.of(3, 0, 0, 0, 97, 98, 99, 0, 0, 0, 0), values, new Uint8Array(8), Uint8Array.of(9));
    const model = bytesOf({ weightsManifest: [{ paths: ["s"], weights }] });
    const { arrays, skipped } = await readAll((options) => io.readTfjs(model, { ...options, shard: () => shard }));
    expect(arrays).toEqual({ w: W, last: { dtype: "uint8", shape: [1], data: Uint8Array.of(9) } });
    expect(skipped).toEqual({ text: "it has the dtype string", spectrum: "it has the dtype complex64" });
    const short = io.readTfjs(model, { shard: () => shard.slice(0, -2) });
    expect(await refusal(short)).toMatchObject({ code: "corrupt-file" });
  });

  it("is an error where nothing is left", async () => {
    const file = safetensors([
      ["a", "C64", [1], 8],
      ["b", "F8_E4M3", [2], 2],
    ]);
    const error = await refusal(io.readSafetensors(file));
    expect(error).toMatchObject({ code: "unsupported-file" });
    expect(error.message).toContain("none of its arrays can be read: a: it has the dtype C64; b: it has the dtype F8");
    expect((await refusal(io.readNpz(golden("objects.npz")))).message).toContain("entry o.npy: its dtype |O");
  });
});

describe("a damaged part of a .npz file", () => {
  const array = (...values: number[]) => ({
    dtype: "float32",
    shape: [values.length],
    data: Float32Array.from(values),
  });
  async function damaged(): Promise<Uint8Array> {
    const bytes = await io.encodeNpz({ bad: array(3, 4), w: W } as Record<string, io.HostArray>);
    bytes[bytes.indexOf(0x93) + 12]! ^= 0xff;
    return bytes;
  }

  it("leaves the others to who asks for them, and is an error for who reads the whole", async () => {
    const file = await damaged();
    await io.openWeights(file, async ({ skipped, read }) => {
      expect(skipped).toMatchObject([{ name: "bad", damaged: true }]);
      expect(await read("w")).toEqual(W);
      expect(await refusal(read("bad"))).toMatchObject({ code: "corrupt-file" });
    });
    expect(await refusal(io.readNpz(file))).toMatchObject({ code: "corrupt-file" });
    using device = await createDevice({ quiet: true });
    using net = new nn.BatchNorm2d(device, 2);
    expect(await refusal(io.loadWeights(net, file, { strict: false }))).toMatchObject({ code: "corrupt-file" });
  });
});

describe("loadWeights of a file with a tensor that is not read", () => {
  it("loads the others, and names it where the net needs it", async () => {
    using device = await createDevice({ quiet: true });
    await device.scope(async () => {
      const net = new nn.BatchNorm2d(device, 2);
      const rest = ["weight", "bias", "running_mean", "running_var"];
      const beside = safetensors([...rest.map((name) => [name, "F32", [2], 8] as const), ["freqs", "C64", [1], 8]]);
      const report = await io.loadWeights(net, beside);
      expect(report.copied).toEqual(rest);
      expect(report.unread).toEqual([{ name: "freqs", reason: "it has the dtype C64" }]);
      const needed = safetensors([
        ...rest.slice(1).map((name) => [name, "F32", [2], 8] as const),
        ["weight", "C64", [2], 16],
      ]);
      const error = await refusal(io.loadWeights(net, needed));
      expect(error.code).toBe("state-dict-mismatch");
      expect(error.message).toContain("in the file, but not readable: weight: it has the dtype C64");
      expect(error.message).not.toContain("missing");
      expect(error.fix).toContain("plain tensors");
      expect((await io.loadWeights(net, needed, { strict: false })).missing).toEqual(["weight"]);
    });
  });
});
