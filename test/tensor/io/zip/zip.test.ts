import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { constants, deflateRawSync } from "node:zlib";
import { io } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { refusal } from "../../../support/refusals.js";
import { fields, join, zip } from "../../../support/zip.js";

const header = (descr: string, shape: string) => {
  const literal = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`;
  const text = `${literal.padEnd(117)}\n`;
  return join(
    Uint8Array.of(0x93),
    new TextEncoder().encode("NUMPY"),
    Uint8Array.of(1, 0, 118, 0),
    new TextEncoder().encode(text),
  );
};
const bytes = (count: number, value = 7) => new Uint8Array(count).fill(value);
const npy = (count: number, value = 7, claimed = count) => join(header("|u1", `(${claimed},)`), bytes(count, value));
const array = (count: number, value = 7): io.HostArray => ({
  dtype: "uint8",
  shape: [count],
  data: bytes(count, value),
});

describe("zip archives", () => {
  it.each([
    ["with a comment", zip({ "a.npy": { data: npy(5) } }, { comment: "PK\u0005\u0006 not the end" })],
    ["with a zip64 directory", zip({ "a.npy": { data: npy(5) } }, { zip64: true })],
    ["with zip64 sizes, stored", zip({ "a.npy": { data: npy(5), zip64: true } }, { zip64: true })],
    ["with zip64 sizes, deflated", zip({ "a.npy": { data: npy(5), zip64: true, deflate: true } })],
    ["with folders", zip({ "x/": { data: bytes(0) }, "a.npy": { data: npy(5) } })],
  ])("%s are read", async (_, file) => {
    expect(await io.readNpz(file)).toEqual({ a: array(5) });
  });

  it("of nothing hold nothing", async () => {
    expect(await io.readNpz(zip({}))).toEqual({});
  });

  const good = { data: npy(1000) };
  it.each<[string, Uint8Array, string]>([
    ["no directory", npy(5).slice(6), "it has no zip directory at its end"],
    ["the form of one array", npy(5), "it is a NumPy array (.npy), not a .npz file"],
    [
      "a size that is not there",
      zip({ "a.npy": { ...good, claimedSize: 5000 } }),
      "its 1128 bytes cannot unpack to the 5000",
    ],
    [
      "a packed size beyond the end",
      zip({ "a.npy": { ...good, claimedSize: 2 ** 31, claimedPacked: 2 ** 31 } }),
      "overlaps the one after it",
    ],
    [
      "a size that deflate cannot reach",
      zip({ "a.npy": { ...good, deflate: true, claimedSize: 10_000_000 } }),
      "cannot unpack to the 10000000",
    ],
    [
      "less data than it says",
      zip({ "a.npy": { data: npy(1000, 7, 1872), deflate: true, claimedSize: 2000 } }),
      "it has 1128 bytes, but its directory says 2000",
    ],
    [
      "more data than it says",
      zip({ "a.npy": { ...good, deflate: true, claimedSize: 1000 } }),
      "it has more than the 1000 bytes of its directory",
    ],
    ["a wrong checksum", zip({ "a.npy": { ...good, crc: 1 } }), "its checksum does not match"],
    ["a wrong checksum, deflated", zip({ "a.npy": { ...good, deflate: true, crc: 1 } }), "its checksum does not match"],
    [
      "an offset out of the file",
      zip({ "a.npy": { ...good, claimedOffset: 1e6 } }),
      "overlaps the one after it or the directory",
    ],
    [
      "an infinite zip64 offset",
      zip({ "a.npy": { ...good, zip64: true, claimedOffset: 2 ** 60 } }),
      "overlaps the one after it",
    ],
    ["another name after", zip({ "a.npy": { ...good, localName: "b.npy" } }), "its local header is damaged"],
    ["encryption", zip({ "a.npy": { ...good, flags: 1 } }), "it is encrypted"],
    ["bzip2", zip({ "a.npy": { ...good, method: 12 } }), "compressed by method 12"],
    [
      "a name twice",
      zip([
        ["a.npy", good],
        ["a.npy", good],
      ]),
      "two entries of its zip directory are called a.npy",
    ],
    [
      "an array twice",
      zip([
        ["a.npy", good],
        ["a", good],
      ]),
      "two of its arrays are called a",
    ],
    ["what is no array", zip({ "a.txt": { data: bytes(50) } }), "entry a.txt: it does not start like a .npy file"],
  ])("with %s are refused", async (_, file, problem) => {
    const error = await refusal(io.readNpz(file));
    expect(error.code).toMatch(/^(corrupt|unsupported)-file$/);
    expect(error.message).toContain(problem);
  });

  it("whose entries overlap are refused: one payload under many names", async () => {
    const shared = Array.from(
      { length: 50 },
      (_, i) => [`a${i}.npy`, { ...good, deflate: true, claimedOffset: 0 }] as const,
    );
    expect((await refusal(io.readNpz(zip(shared)))).message).toContain("overlaps");
  });

  it("that are bombs are refused without unpacking", async () => {
    // Zeros by the million, as blocks of one stream, with an empty block as the last.
    const zeros = deflateRawSync(bytes(1e6, 0), { finishFlush: constants.Z_FULL_FLUSH });
    const start = deflateRawSync(header("|u1", "(100000000,)"), { finishFlush: constants.Z_FULL_FLUSH });
    const packed = join(start, ...Array.from({ length: 100 }, () => zeros), Uint8Array.of(3, 0));
    const bomb = zip({ "a.npy": { data: packed, method: 8, claimedSize: 128 + 1e8 } });
    expect(bomb.length).toBeLessThan(120_000);
    const before = process.resourceUsage().maxRSS;
    const error = await refusal(io.readNpz(bomb));
    expect(error).toMatchObject({ code: "unsupported-file" });
    expect(error.message).toMatch(/claim to unpack to 96 MiB, more than 100 times as much/);
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(50_000);
    // A lie about the size stops at the size.
    const lie = zip({ "a.npy": { data: packed, method: 8, claimedSize: 128 + 1e6 } });
    expect((await refusal(io.readNpz(lie))).message).toContain("needs 100000000 bytes of data, it has 1000000");
  });

  it("beyond 4 GiB are read where they are asked", async () => {
    const folder = await mkdtemp(joinPath(tmpdir(), "zip64-"));
    try {
      const path = joinPath(folder, "large.npz");
      await writeSparse(path, 4.5 * 2 ** 30);
      const { last, names } = await io.openWeights(path, async (weights) => {
        expect(weights.arrays.hole?.shape).toEqual([4.5 * 2 ** 30]);
        return { last: await weights.read("last"), names: Object.keys(weights.arrays) };
      });
      expect(names).toEqual(["hole", "last"]);
      expect(last).toEqual(array(9, 3));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** An archive of `size` zeros, which a sparse file holds for nothing, and one small array after them. */
async function writeSparse(path: string, size: number): Promise<void> {
  const name = (text: string) => new TextEncoder().encode(text);
  const hole = header("|u1", `(${size},)`);
  const last = npy(9, 3);
  const extra = (...values: number[]) =>
    fields([[2, 1], [2, 8 * values.length], ...values.map((value) => [8, value] as const)]);
  const local = (text: string, more: Uint8Array, length: number, crc: number) =>
    join(
      fields([
        [4, 0x04034b50],
        [2, 45],
        [2, 0],
        [2, 0],
        [4, 0],
        [4, crc],
        [4, length],
        [4, length],
        [2, text.length],
        [2, more.length],
      ]),
      name(text),
      more,
    );
  const entry = (text: string, more: Uint8Array, length: number, crc: number, at: number) =>
    join(
      fields([
        [4, 0x02014b50],
        [2, 45],
        [2, 45],
        [2, 0],
        [2, 0],
        [4, 0],
        [4, crc],
        [4, length],
        [4, length],
        [2, text.length],
        [2, more.length],
        [2, 0],
        [2, 0],
        [2, 0],
        [4, 0],
        [4, at],
      ]),
      name(text),
      more,
    );
  const total = hole.length + size;
  const first = local("hole.npy", extra(total, total), 0xffffffff, 0);
  const second = local("last.npy", new Uint8Array(0), last.length, 0);
  const secondAt = first.length + total;
  const directoryAt = secondAt + second.length + last.length;
  const directory = join(
    entry("hole.npy", extra(total, total), 0xffffffff, 0, 0),
    entry("last.npy", extra(secondAt), last.length, 0, 0xffffffff),
  );
  const end64At = directoryAt + directory.length;
  const end64 = fields([
    [4, 0x06064b50],
    [8, 44],
    [2, 45],
    [2, 45],
    [4, 0],
    [4, 0],
    [8, 2],
    [8, 2],
    [8, directory.length],
    [8, directoryAt],
  ]);
  const locator = fields([
    [4, 0x07064b50],
    [4, 0],
    [8, end64At],
    [4, 1],
  ]);
  const end = fields([
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, 2],
    [2, 2],
    [4, directory.length],
    [4, 0xffffffff],
    [2, 0],
  ]);
  const file = await open(path, "w");
  try {
    await file.write(join(first, hole), 0, undefined, 0);
    await file.write(join(second, last, directory, end64, locator, end), 0, undefined, secondAt);
  } finally {
    await file.close();
  }
}
