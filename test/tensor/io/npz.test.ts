import { crc32, deflateRawSync } from "node:zlib";
import { io } from "@fcn/tensor";
import { describe, expect, it } from "vitest";

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

/** A zip archive with one local header and one directory entry a file. */
function zip(files: Record<string, { data: Uint8Array; deflate: boolean }>): Uint8Array {
  const locals: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { data, deflate }] of Object.entries(files)) {
    const packed = deflate ? deflateRawSync(data) : data;
    const fields = (bytes: Uint8Array, at: number) => {
      const view = new DataView(bytes.buffer);
      view.setUint16(at, deflate ? 8 : 0, true);
      view.setUint32(at + 6, crc32(data), true);
      view.setUint32(at + 10, packed.length, true);
      view.setUint32(at + 14, data.length, true);
      view.setUint16(at + 18, name.length, true);
    };
    const local = new Uint8Array(30 + name.length);
    new DataView(local.buffer).setUint32(0, 0x04034b50, true);
    fields(local, 8);
    local.set(new TextEncoder().encode(name), 30);
    const entry = new Uint8Array(46 + name.length);
    new DataView(entry.buffer).setUint32(0, 0x02014b50, true);
    fields(entry, 10);
    new DataView(entry.buffer).setUint32(42, offset, true);
    entry.set(new TextEncoder().encode(name), 46);
    locals.push(local, packed);
    directory.push(entry);
    offset += local.length + packed.length;
  }
  const end = new Uint8Array(22);
  const view = new DataView(end.buffer);
  view.setUint32(0, 0x06054b50, true);
  view.setUint16(10, directory.length, true);
  view.setUint32(16, offset, true);
  return new Uint8Array(Buffer.concat([...locals, ...directory, end]));
}

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

  it.each([false, true])("sees a changed byte and a truncation, compressed %s", async (deflate) => {
    const changed = archive(deflate);
    changed[30 + 8 + 200]! ^= 0x10;
    await expect(io.readNpz(changed)).rejects.toMatchObject({ code: "corrupt-file" });
    await expect(io.readNpz(archive(deflate).slice(0, 300))).rejects.toMatchObject({ code: "corrupt-file" });
  });
});
