import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDevice, io } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { bytesOf, describeArray, npy } from "../../../support/npy.js";
import { refusal } from "../../../support/refusals.js";
import { zip } from "../../../support/zip.js";

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
