import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { gzipSync } from "node:zlib";
import { io } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { otherFiles } from "../../../support/other-files.js";
import { refusal } from "../../../support/refusals.js";

const READERS: Readonly<Record<string, (bytes: Uint8Array) => Promise<unknown>>> = {
  openWeights: (bytes) => io.openWeights(bytes, () => {}),
  readSafetensors: io.readSafetensors,
  readSafetensorsMetadata: io.readSafetensorsMetadata,
  readPth: io.readPth,
  readNpz: io.readNpz,
  readNpy: io.readNpy,
  readCaffemodel: io.readCaffemodel,
  readTfjs: (bytes) => io.readTfjs(bytes, { shard: () => new Uint8Array(0) }),
};

describe.each(Object.entries(READERS))("%s of what is no such file", (_, read) => {
  it.each(otherFiles())("says that it is %s", async (what, bytes, remedy) => {
    const error = await refusal(read(bytes));
    expect(error).toMatchObject({ code: "unsupported-file", details: { is: what } });
    expect(error.message).toContain(`it is ${what}, not `);
    expect(error.fix).toMatch(remedy);
    expect(error.fix).not.toContain("fetch or write the file again");
  });
});

describe("a format taken for another one", () => {
  const w = { w: { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) } } as const;
  const pth = (end: string) =>
    new Uint8Array(readFileSync(new URL(`../../../golden/pth/mixed${end}`, import.meta.url)));
  it("is named, with the reader for it", async () => {
    const [safetensors, npz, npy] = [await io.encodeSafetensors(w), await io.encodeNpz(w), await io.encodeNpy(w.w)];
    const cases: [read: (bytes: Uint8Array) => Promise<unknown>, bytes: Uint8Array, what: string, fix: string][] = [
      [io.readSafetensors, npz, "it is a NumPy archive (.npz), not a safetensors file", "io.readNpz"],
      [io.readSafetensors, npy, "it is a NumPy array (.npy), not a safetensors file", "io.readNpy"],
      [io.readNpz, safetensors, "it is a safetensors file, not a .npz file", "io.readSafetensors"],
      [io.readSafetensors, pth(".pth"), "it is a PyTorch file (.pth), not a safetensors file", "io.readPth"],
      [io.readSafetensors, pth(".legacy.pth"), "it is a PyTorch file (.pth), not a safetensors file", "io.readPth"],
      [io.readNpy, Uint8Array.of(0x80, 4, 0x95, 1), "it is a Python pickle, not a .npy file", "numpy.savez"],
      [io.readPth, safetensors, "it is a safetensors file, not a PyTorch file", "io.readSafetensors"],
      [io.readPth, npz, "it is a zip archive without data.pkl", "io.readNpz"],
      [io.readNpy, npz, "it is a NumPy archive (.npz), not a .npy file", "io.readNpz"],
      [io.readCaffemodel, npz, "it is a NumPy archive (.npz), not a .caffemodel file", "io.readNpz"],
      [(bytes) => io.openWeights(bytes, () => {}), npy, "it is one array without a name", "io.readNpy"],
    ];
    for (const [read, bytes, what, fix] of cases) {
      const error = await refusal(read(bytes));
      expect(error.message).toContain(what);
      expect(error.fix).toContain(fix);
    }
  });

  it("keeps the error of a file that is damaged", async () => {
    const bytes = await io.encodeSafetensors(w);
    expect(await refusal(io.readSafetensors(bytes.slice(0, -1)))).toMatchObject({ code: "corrupt-file" });
    const npz = await io.encodeNpz(w);
    expect(await refusal(io.readNpz(npz.slice(0, -9)))).toMatchObject({ code: "corrupt-file" });
    expect(await refusal(io.openWeights(npz.slice(0, -9), () => {}))).toMatchObject({ code: "corrupt-file" });
  });
});

describe("a path", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(joinPath(tmpdir(), "other-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("to a folder, to nothing, or to a packed file is told in words", async () => {
    const packed = joinPath(folder, "w.safetensors.gz");
    await writeFile(packed, gzipSync(new Uint8Array(100)));
    expect((await refusal(io.readSafetensors(packed))).message).toContain("w.safetensors.gz: it is a gzip archive");
    for (const read of [io.readSafetensors, io.readPth, io.readNpz, io.readCaffemodel, io.readTfjs]) {
      expect((await refusal(read(folder))).message).toContain("it is a folder, not a file");
      expect((await refusal(read(joinPath(folder, "absent")))).message).toContain("it does not exist");
    }
  });
});
