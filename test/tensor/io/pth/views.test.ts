import { describe, expect, it } from "vitest";
import { type StorageBytes, tensorArrays } from "../../../../packages/tensor/src/io/pth/storages.js";
import { StorageRef, TensorRef, torchDtypes } from "../../../../packages/tensor/src/io/pth/tensors.js";

const at = { reader: "test", file: "a" };
const dtypes = torchDtypes();
const ref = (key: string, dtype = "int16", offset = 0) => new StorageRef(key, dtypes.get(dtype)!, 1e9, offset, 1e9);
const view = (on: StorageRef, offset: number, shape: number[], strides: number[], dtype = on.dtype.name) =>
  new TensorRef(on, dtypes.get(dtype)!, shape, strides, offset);

/** A storage whose int16 numbers count from 0, and what was read of it. */
function counting(count: number, compressed = false): StorageBytes & { reads: [number, number][]; checks: number } {
  const { buffer } = Int16Array.from({ length: count }, (_, i) => i);
  return {
    size: 2 * count,
    compressed,
    reads: [],
    checks: 0,
    async read(begin, end) {
      this.reads.push([begin, end]);
      return buffer.slice(begin, end);
    },
    async check() {
      this.checks++;
    },
  };
}
const arraysOf = (tensors: Record<string, TensorRef>, storages: Record<string, StorageBytes>, fileSize = 1e9) =>
  tensorArrays(at, new Map(Object.entries(tensors)), new Map(Object.entries(storages)), fileSize);
/** All values of the tensors, read in turn. */
async function read(tensors: Record<string, TensorRef>, storages: Record<string, StorageBytes>) {
  const values: Record<string, number[]> = {};
  for (const { name, read } of arraysOf(tensors, storages).arrays)
    values[name] = Array.from((await read()).data as Int16Array);
  return values;
}
const a = ref("a");
const bytes = ref("a", "uint8");

describe("tensors on a storage", () => {
  it.each<[string, TensorRef, number[], [number, number][]]>([
    ["all of it", view(a, 0, [2, 3], [3, 1]), [0, 1, 2, 3, 4, 5], [[0, 12]]],
    ["a part", view(a, 2, [3], [1]), [2, 3, 4], [[4, 10]]],
    ["a part of a part", view(ref("a", "int16", 3), 2, [3], [1]), [5, 6, 7], [[10, 16]]],
    ["a column", view(a, 1, [3], [4]), [1, 5, 9], [[2, 20]]],
    ["a transposed matrix", view(a, 0, [3, 2], [1, 3]), [0, 3, 1, 4, 2, 5], [[0, 12]]],
    ["one number for all", view(a, 7, [2, 2], [0, 0]), [7, 7, 7, 7], [[14, 16]]],
    ["sizes of 1 with any stride", view(a, 4, [1, 3, 1], [99, 1, 5]), [4, 5, 6], [[8, 14]]],
    ["a scalar", view(a, 9, [], []), [9], [[18, 20]]],
    ["nothing", view(a, 0, [0, 3], [3, 1]), [], []],
    ["nothing behind its end", view(a, 500, [0], [1]), [], []],
    ["the last number", view(a, 99, [1], [1]), [99], [[198, 200]]],
  ])("give %s, and read only what they need", async (_, tensor, values, reads) => {
    const storage = counting(100);
    const { arrays } = arraysOf({ t: tensor }, { a: storage });
    expect(arrays).toMatchObject([{ name: "t", stored: "int16", shape: tensor.shape }]);
    expect(Array.from((await arrays[0]!.read()).data as Int16Array)).toEqual(values);
    expect(storage.reads).toEqual(reads);
  });

  it("of other sizes than the storage's numbers count bytes from its elements and their own", async () => {
    const storage = counting(100);
    const wide = view(ref("a", "int16", 4), 1, [1], [1], "int32");
    const narrow = view(ref("a", "int16", 4), 20, [2], [1], "uint8");
    expect(await read({ wide, narrow }, { a: storage })).toEqual({ wide: [6 + 7 * 2 ** 16], narrow: [14, 0] });
    expect(storage.reads).toEqual([
      [12, 16],
      [28, 30],
    ]);
  });

  it.each<[string, TensorRef[], [number, number][]]>([
    ["as they are where they are the same", [view(a, 0, [4], [1]), view(a, 0, [2, 2], [1, 2])], [[0, 8]]],
    ["that overlap, together", [view(a, 2, [4], [1]), view(a, 0, [4], [1])], [[0, 12]]],
    ["inside another, together", [view(a, 0, [8], [1]), view(a, 2, [2], [1]), view(a, 6, [2], [1])], [[0, 16]]],
    ["as columns of a matrix, together", [view(a, 0, [3], [2]), view(a, 1, [3], [2])], [[0, 12]]],
    [
      "side by side, one by one",
      [view(a, 0, [4], [1]), view(a, 4, [4], [1])],
      [
        [0, 8],
        [8, 16],
      ],
    ],
    [
      "with wide gaps, one by one",
      [view(a, 0, [3], [4]), view(a, 1, [3], [4])],
      [
        [0, 18],
        [2, 20],
      ],
    ],
    [
      "apart, and others that overlap",
      [view(a, 0, [4], [1]), view(a, 22, [4], [1]), view(a, 20, [4], [1]), view(a, 21, [2], [2])],
      [
        [0, 8],
        [40, 52],
      ],
    ],
  ])("read bytes %s", async (_, tensors, reads) => {
    const storage = counting(100);
    const values = await read(Object.fromEntries(tensors.map((tensor, i) => [`t${i}`, tensor])), { a: storage });
    expect(storage.reads).toEqual(reads);
    for (const [i, { offset, shape, strides }] of tensors.entries()) {
      const [rows = 1, columns = 1] = shape;
      const expected = Array.from(
        { length: rows * columns },
        (_, k) => offset + Math.floor(k / columns) * strides[0]! + (k % columns) * (strides[1] ?? 0),
      );
      expect(values[`t${i}`]).toEqual(expected);
    }
  });

  it("do not share what lies in another storage", async () => {
    const [one, two] = [counting(9), counting(9)];
    await read({ x: view(a, 0, [4], [1]), y: view(ref("b"), 0, [4], [1]) }, { a: one, b: two });
    expect([one.reads, two.reads]).toEqual([[[0, 8]], [[0, 8]]]);
  });

  it("of a compressed storage are read with all of it, once", async () => {
    const storage = counting(50, true);
    const tensors = { x: view(a, 5, [2], [1]), y: view(a, 40, [2], [3]), z: view(a, 0, [0], [1]) };
    expect(await read(tensors, { a: storage })).toEqual({ x: [5, 6], y: [40, 43], z: [] });
    expect(storage.reads).toEqual([[0, 100]]);
  });

  it("that share bytes have arrays of their own, and are read again when they were all read", async () => {
    const [storage, other] = [counting(50), counting(50)];
    const { arrays } = arraysOf(
      {
        x: view(a, 0, [4], [1]),
        y: view(a, 0, [4], [1]),
        empty: view(a, 1, [0], [1]),
        z: view(ref("b"), 0, [4], [1]),
        v: view(ref("b"), 1, [4], [1]),
      },
      { a: storage, b: other },
    );
    const [x, y, z] = ["x", "y", "z"].map((wanted) => arrays.find(({ name }) => name === wanted));
    const first = await x!.read();
    (first.data as Int16Array).fill(7);
    expect((await y!.read()).data).toEqual(Int16Array.of(0, 1, 2, 3));
    expect(storage.reads).toHaveLength(1);
    await x!.read();
    expect(storage.reads).toHaveLength(2);
    await x!.read();
    expect(storage.reads).toHaveLength(2);
    // Others take the place of the bytes that are held.
    await z!.read();
    await y!.read();
    expect([storage.reads, other.reads].map((reads) => reads.length)).toEqual([3, 1]);
  });

  it.each<[string, TensorRef, [number, number][]]>([
    ["in one read where they lie in a row", view(bytes, 3, [2, 2 ** 23 + 1], [2 ** 23 + 1, 1]), [[3, 2 ** 24 + 5]]],
    [
      "in one read whatever the stride of a size of 1",
      view(bytes, 0, [1, 2 ** 24 + 1, 1], [5, 1, 0]),
      [[0, 2 ** 24 + 1]],
    ],
    ["in one read of up to 16 MiB", view(bytes, 0, [2], [2 ** 24 - 1]), [[0, 2 ** 24]]],
    [
      "in pieces beyond",
      view(bytes, 1, [2], [2 ** 24]),
      [
        [1, 2],
        [2 ** 24 + 1, 2 ** 24 + 2],
      ],
    ],
    [
      "in pieces of longer numbers",
      view(a, 1, [2], [2 ** 23]),
      [
        [2, 4],
        [2 ** 24 + 2, 2 ** 24 + 4],
      ],
    ],
    [
      "in pieces of whole rows",
      view(bytes, 2 ** 20, [3, 32], [2 ** 18, 2 ** 20]),
      [2 ** 20, 17 * 2 ** 20].map((at) => [at, at + 15 * 2 ** 20 + 2 ** 19 + 1]),
    ],
    [
      "in pieces of the widest dimension",
      view(bytes, 0, [32, 3], [1, 2 ** 24]),
      [0, 2 ** 24, 2 ** 25].map((at) => [at, at + 32]),
    ],
    [
      "in pieces of no size of 1",
      view(bytes, 0, [9, 1, 2], [2 ** 22, 2 ** 26, 1]),
      [
        [0, 3 * 2 ** 22 + 2],
        [4 * 2 ** 22, 5 * 2 ** 22 + 2],
        [6 * 2 ** 22, 8 * 2 ** 22 + 2],
      ],
    ],
  ])("are read %s", async (_, tensor, reads) => {
    const found: [number, number][] = [];
    const at = (place: number) => (place >> 18) % 251;
    const storage: StorageBytes = {
      size: 2 ** 26,
      compressed: false,
      async read(begin, end) {
        found.push([begin, end]);
        // Each byte counts the 256 KiB before it.
        const read = new Uint8Array(end - begin);
        for (let row = begin >> 18; row << 18 < end; row++) read.fill(at(row << 18), Math.max(0, (row << 18) - begin));
        return read.buffer;
      },
    };
    const [array] = arraysOf({ tensor }, { a: storage }).arrays;
    const values = new Uint8Array(((await array!.read()).data as Uint8Array).buffer);
    expect(found).toEqual(reads);
    const { shape, strides, offset } = tensor;
    const size = tensor.dtype.size;
    const index = (k: number) => {
      let place = offset;
      for (let dim = shape.length - 1, rest = k; dim >= 0; dim--) {
        place += (rest % shape[dim]!) * strides[dim]!;
        rest = Math.floor(rest / shape[dim]!);
      }
      return place;
    };
    for (let k = 0; k * size < values.length; k += values.length > 1000 ? 99_991 : 1) {
      expect([k, values[k * size]]).toEqual([k, at(index(k) * size)]);
    }
  });

  it("of a dtype that is not read are left out by name", () => {
    const { arrays, skipped } = arraysOf(
      { c: view(ref("a", "complex64"), 0, [1], [1]), x: view(a, 0, [1], [1]) },
      { a: counting(9) },
    );
    expect([arrays, skipped]).toMatchObject([[{ name: "x" }], [{ name: "c" }]]);
  });

  it("are checked by the storages of the names that are asked for, each once", async () => {
    const [one, two] = [counting(9), counting(9)];
    const plain: StorageBytes = { size: 18, compressed: false, read: async () => new ArrayBuffer(0) };
    const tensors = {
      x: view(a, 0, [1], [1]),
      y: view(a, 1, [1], [1]),
      z: view(ref("b"), 0, [1], [1]),
      p: view(ref("c"), 0, [1], [1]),
    };
    const { verify } = arraysOf(tensors, { a: one, b: two, c: plain });
    await verify(["x", "y", "p"]);
    expect([one.checks, two.checks]).toEqual([1, 0]);
  });

  it.each<[string, string, TensorRef, number?]>([
    ["a storage that is missing", "corrupt-file", view(ref("none"), 0, [1], [1])],
    ["one number more than there is", "corrupt-file", view(a, 1, [9], [1])],
    ["a last number behind the end", "corrupt-file", view(a, 0, [2], [9])],
    ["a hundred times the file", "unsupported-file", view(a, 0, [2 ** 25 + 1], [0]), 100],
  ])("are refused with %s", (_, code, tensor, fileSize) => {
    expect(() => arraysOf({ tensor }, { a: counting(9) }, fileSize)).toThrow(expect.objectContaining({ code }));
  });
});
