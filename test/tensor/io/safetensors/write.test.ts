import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDevice, type Device, io } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let folder: string;
let device: Device;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "safetensors-"));
  device = await createDevice();
});
afterAll(async () => {
  device?.destroy();
  await rm(folder, { recursive: true, force: true });
});

describe("writeSafetensors", () => {
  it("brings tensors, host arrays and metadata back, in logical order", async () => {
    await device.scope(async () => {
      const path = join(folder, "all.safetensors");
      const values = Float32Array.from({ length: 24 }, (_, i) => i - 11.5);
      const x = device.tensor(values, [2, 3, 4]);
      const record = {
        bytes: { dtype: "uint8" as const, shape: [3], data: Uint8Array.of(1, 2, 255) },
        x,
        turned: x.permute([2, 0, 1]),
        labels: device.tensor(Int32Array.of(7, -8), [2], { dtype: "int32" }),
        long: { dtype: "int64" as const, shape: [], data: BigInt64Array.of(-(2n ** 40n)) },
      };
      await io.writeSafetensors(path, record, { metadata: { model: "é" } });
      const read = await io.readSafetensors(path);
      expect(Object.keys(read).sort()).toEqual(Object.keys(record).sort());
      expect(read.x).toEqual({ dtype: "float32", shape: [2, 3, 4], data: values });
      const turned = Float32Array.from({ length: 24 }, (_, i) => values[(i % 6) * 4 + Math.floor(i / 6)] ?? Number.NaN);
      expect(read.turned).toEqual({ dtype: "float32", shape: [4, 2, 3], data: turned });
      expect(read.labels).toEqual({ dtype: "int32", shape: [2], data: Int32Array.of(7, -8) });
      expect(read.bytes).toEqual(record.bytes);
      expect(read.long).toEqual(record.long);
      expect(await io.readSafetensorsMetadata(path)).toEqual({ model: "é" });
      expect(new Uint8Array(await readFile(path))).toEqual(
        await io.encodeSafetensors(record, { metadata: { model: "é" } }),
      );
    });
  });

  it("leaves the old file and nothing else when it fails", async () => {
    const own = await mkdtemp(join(folder, "own-"));
    const path = join(own, "w.safetensors");
    await writeFile(path, "old");
    const bad = { a: { dtype: "float32" as const, shape: [3], data: new Float32Array(2) } };
    await expect(io.writeSafetensors(path, bad)).rejects.toMatchObject({
      code: "invalid-argument",
      message: "writeSafetensors: a: shape [3] of float32 needs 12 bytes, its data has 8",
    });
    const disposed = device.zeros([2]);
    disposed.dispose();
    await expect(io.writeSafetensors(path, { disposed })).rejects.toMatchObject({ code: "disposed" });
    expect(await readdir(own)).toEqual(["w.safetensors"]);
    expect(await readFile(path, "utf8")).toBe("old");
    await expect(io.writeSafetensors(join(own, "no", "w"), {})).rejects.toMatchObject({ code: "unwritable-file" });
    await expect(io.writeSafetensors("s3://bucket/w", {})).rejects.toMatchObject({
      code: "unwritable-file",
      message: expect.stringMatching(/s3:\/\/bucket\/w: it is an address, and a file of this machine is wanted$/),
    });
  });
});
