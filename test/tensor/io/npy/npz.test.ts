import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDevice, io } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { refusal } from "../../../support/refusals.js";
import { zip } from "../../../support/zip.js";

/** A .npy file of version 1, as numpy.save writes it. */
function npy(header: string, data: Uint8Array): Uint8Array {
  const text = `${header}${" ".repeat((64 - ((10 + header.length + 1) % 64)) % 64)}\n`;
  const bytes = new Uint8Array(10 + text.length + data.length);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0]);
  new DataView(bytes.buffer).setUint16(8, text.length, true);
  bytes.set(new TextEncoder().encode(text), 10);
  bytes.set(data, 10 + text.length);
  return bytes;
}

const describeArray = (descr: string, shape: string, fortran = "False") =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;
const bytesOf = (data: ArrayBufferView) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

describe("readNpy", () => {
  it("reads numbers of several types and both byte orders", async () => {
    const data = Float32Array.of(1, 2.5, -3, 4, 5, 6);
    expect(await io.readNpy(npy(describeArray("<f4", "(2, 3)"), bytesOf(data)))).toEqual({
      dtype: "float32",
      shape: [2, 3],
      data,
    });
    const swapped = npy(describeArray(">i4", "(2,)"), Uint8Array.of(0, 0, 1, 2, 255, 255, 255, 254));
    expect(await io.readNpy(swapped)).toEqual({ dtype: "int32", shape: [2], data: Int32Array.of(258, -2) });
    const scalar = npy(describeArray("<i8", "()"), bytesOf(BigInt64Array.of(-5n)));
    expect(await io.readNpy(scalar)).toEqual({ dtype: "int64", shape: [], data: BigInt64Array.of(-5n) });
  });

  it("turns Fortran order into row-major order", async () => {
    // Element (i, j, k) of shape (2, 3, 2) is 100 i + 10 j + k; the first index runs fastest in the file.
    const stored = Int16Array.from(
      { length: 12 },
      (_, at) => 100 * (at % 2) + 10 * (Math.floor(at / 2) % 3) + Math.floor(at / 6),
    );
    const read = await io.readNpy(npy(describeArray("<i2", "(2, 3, 2)", "True"), bytesOf(stored)));
    expect(Array.from(read.data as Int16Array)).toEqual([0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121]);
  });

  it("refuses damaged files and objects", async () => {
    const good = npy(describeArray("<f4", "(2,)"), new Uint8Array(8));
    for (const length of [0, 5, 9, 40, good.length - 1]) {
      await expect(io.readNpy(good.slice(0, length))).rejects.toMatchObject({ code: "corrupt-file" });
    }
    await expect(io.readNpy(npy(describeArray("|O", "(1,)"), new Uint8Array(8)))).rejects.toMatchObject({
      code: "unsupported-file",
    });
  });

  it.each<[string, string, string]>([
    [
      "a dtype of Object.prototype",
      describeArray("<__proto__", "(2,)"),
      "its dtype <__proto__ is not a supported number type",
    ],
    ["a dtype named constructor", describeArray("|constructor", "(2,)"), "its dtype |constructor is not"],
    ["no byte order", describeArray("f4", "(2,)"), "its dtype f4 is not"],
    ["complex numbers", describeArray("<c8", "(1,)"), "its dtype <c8 is not"],
    ["text", describeArray("<U2", "(1,)"), "its dtype <U2 is not"],
    ["Python objects", describeArray("|O", "(1,)"), "it holds Python objects, which are a pickle"],
    ["fields", "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2,), }", "it holds records with fields"],
    ["a negative size", describeArray("<f4", "(-2,)"), "its header is {'descr'"],
    ["a fraction", describeArray("<f4", "(2.0,)"), "its header is {'descr'"],
    ["a size beyond 2^53", describeArray("|u1", "(99999999999999999999,)"), "its header is {'descr'"],
    ["sizes beyond 2^53", describeArray("|u1", "(9999999999, 9999999999)"), "its header is {'descr'"],
    ["65 dimensions", describeArray("<f4", `(${"1, ".repeat(65)})`), "its header is {'descr'"],
    [
      "a key twice",
      "{'descr': '<f4', 'descr': '<i4', 'fortran_order': False, 'shape': (2,), }",
      "its header is {'descr'",
    ],
    ["another key", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': (1,), }", "its header is {'descr'"],
    ["no shape", "{'descr': '<f4', 'fortran_order': False, }", "its header is {'descr'"],
    ["code", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } or exit()", "its header is {'descr'"],
    ["a shape larger than its data", describeArray("<f8", "(2,)"), "needs 16 bytes of data, it has 8"],
  ])("refuses a header with %s", async (_, header, problem) => {
    const error = await refusal(io.readNpy(npy(header, new Uint8Array(8))));
    expect(error.code).toMatch(/^(corrupt|unsupported)-file$/);
    expect(error.message).toContain(problem);
  });

  it("reads arrays without elements and sizes of Python 2", async () => {
    expect(await io.readNpy(npy(describeArray("<f4", "(0, 3)"), new Uint8Array(0)))).toMatchObject({ shape: [0, 3] });
    expect(await io.readNpy(npy(describeArray("|u1", "(2L,)"), Uint8Array.of(1, 2)))).toMatchObject({ shape: [2] });
  });
});

describe("readNpz", () => {
  const ramp = Float32Array.from({ length: 1000 }, (_, i) => i / 8);
  const archive = (deflate: boolean) =>
    zip({
      "ramp.npy": { data: npy(describeArray("<f4", "(10, 100)"), bytesOf(ramp)), deflate },
      "labels.npy": { data: npy(describeArray("|u1", "(3,)"), Uint8Array.of(1, 2, 3)), deflate },
    });

  it.each([false, true])("reads the arrays by name, compressed %s", async (deflate) => {
    expect(await io.readNpz(archive(deflate))).toEqual({
      ramp: { dtype: "float32", shape: [10, 100], data: ramp },
      labels: { dtype: "uint8", shape: [3], data: Uint8Array.of(1, 2, 3) },
    });
  });

  it("reads numpy's own files: big-endian, Fortran order, half precision, compressed", async () => {
    const golden = (name: string) => new URL(`../../../golden/pth/${name}`, import.meta.url);
    expect(await io.readNpz(golden("numpy.npz"))).toEqual({
      a: { dtype: "float64", shape: [2, 3], data: Float64Array.of(0, 1, 2, 3, 4, 5) },
      f: { dtype: "int16", shape: [2, 3], data: Int16Array.of(0, 1, 2, 3, 4, 5) },
      scalar: { dtype: "float32", shape: [], data: Float32Array.of(1.5) },
    });
    expect(await io.readNpz(golden("packed.npz"))).toEqual({
      zeros: { dtype: "float32", shape: [50, 40], data: new Float32Array(2000) },
      b: { dtype: "bool", shape: [2], data: Uint8Array.of(1, 0) },
    });
    expect((await refusal(io.readNpz(golden("objects.npz")))).message).toContain("entry o.npy: its dtype |O");
  });

  it.each([false, true])("sees a changed byte and a truncation, compressed %s", async (deflate) => {
    const changed = archive(deflate);
    changed[30 + 8 + 200]! ^= 0x10;
    await expect(io.readNpz(changed)).rejects.toMatchObject({ code: "corrupt-file" });
    await expect(io.readNpz(archive(deflate).slice(0, 300))).rejects.toMatchObject({ code: "corrupt-file" });
  });
});

describe("writeNpz", () => {
  const arrays = {
    w: { dtype: "float32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, Number.NaN) },
    "layer.0/b": { dtype: "int64", shape: [1], data: BigInt64Array.of(-(2n ** 60n)) },
    scalar: { dtype: "float64", shape: [], data: Float64Array.of(0.1) },
    flags: { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) },
    none: { dtype: "uint8", shape: [0, 4], data: new Uint8Array(0) },
    é: { dtype: "uint16", shape: [2, 1], data: Uint16Array.of(1, 65535) },
  } as const;

  it("brings host arrays and tensors back", async () => {
    using device = await createDevice();
    await device.scope(async () => {
      const x = device.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
      const read = await io.readNpz(await io.encodeNpz({ ...arrays, turned: x.permute([1, 0]) }));
      expect(read).toEqual({
        ...arrays,
        turned: { dtype: "float32", shape: [3, 2], data: Float32Array.of(1, 4, 2, 5, 3, 6) },
      });
    });
  });

  it("writes the same bytes each time, whole or not at all", async () => {
    const folder = await mkdtemp(join(tmpdir(), "npz-"));
    try {
      const path = join(folder, "w.npz");
      await io.writeNpz(path, arrays);
      expect(await io.readNpz(path)).toEqual(arrays);
      expect(await io.encodeNpz(arrays)).toEqual(await io.encodeNpz(arrays));
      const bad = { a: { dtype: "float32" as const, shape: [3], data: new Float32Array(2) } };
      expect(await refusal(io.writeNpz(path, bad))).toMatchObject({
        code: "invalid-argument",
        message: "writeNpz: a: shape [3] of float32 needs 12 bytes, its data has 8",
      });
      expect(await readdir(folder)).toEqual(["w.npz"]);
      const half = { a: { dtype: "float16" as never, shape: [1], data: new Uint16Array(1) } };
      expect((await refusal(io.encodeNpz(half))).message).toBe("encodeNpz: a: its dtype is float16");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  const python = "/usr/bin/python3";
  const hasNumpy = spawnSync(python, ["-c", "import numpy"]).status === 0;
  it.runIf(hasNumpy)("is what numpy reads", async () => {
    const folder = await mkdtemp(join(tmpdir(), "npz-"));
    try {
      const path = join(folder, "w.npz");
      await io.writeNpz(path, arrays);
      const script = `
import numpy, sys
for name, a in numpy.load(sys.argv[1]).items():
    print(name, a.dtype, a.shape, a.tolist())`;
      const { stdout } = spawnSync(python, ["-c", script, path], {
        encoding: "utf8",
        env: { PYTHONIOENCODING: "utf8" },
      });
      expect(stdout.trim().split("\n")).toEqual([
        "w float32 (2, 3) [[1.0, 2.0, 3.0], [4.0, 5.0, nan]]",
        "layer.0/b int64 (1,) [-1152921504606846976]",
        "scalar float64 () 0.1",
        "flags bool (3,) [True, False, True]",
        "none uint8 (0, 4) []",
        "é uint16 (2, 1) [[1], [65535]]",
      ]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
