import { TensorError } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { type Source, withSource } from "../../../../packages/tensor/src/io/files/source.js";
import { isZip, openZip, type ZipEntry } from "../../../../packages/tensor/src/io/zip/zip.js";
import { refusal } from "../../../support/refusals.js";
import { zip } from "../../../support/zip.js";

const bytes = (count: number, value = 7) => new Uint8Array(count).fill(value);
/** Numbers that deflate cannot shorten much. */
const noise = (count: number) => {
  let state = 1;
  return Uint8Array.from({ length: count }, () => {
    state = (state * 48271) % 0x7fffffff;
    return state >> 8;
  });
};
const inZip = <T>(file: Uint8Array, use: (source: Source) => Promise<T>) => withSource("test", file, use);
const inEntry = <T>(file: Uint8Array, use: (entry: ZipEntry) => Promise<T>) =>
  inZip(file, async (source) => use((await openZip(source))[0]!));
/** Bytes of the local header of an entry that is called "a". */
const LOCAL = 31;
const patched = (file: Uint8Array, at: number, value: number) => file.map((byte, i) => (i === at ? value : byte));

describe("isZip", () => {
  it.each<[boolean, number[]]>([
    [true, [0x50, 0x4b, 3, 4]],
    [true, [0x50, 0x4b, 5, 6, 0]],
    [false, [0x50, 0x4b, 3]],
    [false, [0x50, 0x4b, 1, 2]],
    [false, []],
  ])("is %s of %j", async (expected, start) => {
    expect(await inZip(Uint8Array.from(start), isZip)).toBe(expected);
  });
});

describe("an entry of a zip archive", () => {
  it("is no folder", async () => {
    const file = zip({ "x/": { data: bytes(0) }, "/a": { data: bytes(1) }, "x/b": { data: bytes(1) } });
    expect((await inZip(file, openZip)).map(({ name }) => name)).toEqual(["/a", "x/b"]);
  });

  const data = noise(600_000);
  it.each([false, true])(
    "gives any part of it, and the whole where its checksum fits, compressed %s",
    async (deflate) => {
      const file = zip({ a: { data, deflate, localExtra: bytes(3) }, b: { data: bytes(9), deflate } });
      await inEntry(file, async (entry) => {
        expect(entry).toMatchObject({ name: "a", size: 600_000, compressed: deflate });
        for (const [begin, end] of [
          ...[
            [0, 0],
            [0, 1],
            [599_999, 600_000],
            [0, 600_000],
            [100, 20_000],
          ],
          ...[
            [16_384, 32_768],
            [262_000, 262_200],
            [300_000, 500_000],
          ],
        ] as [number, number][]) {
          const read = new Uint8Array(await entry.read(begin, end));
          expect([begin, end, Buffer.compare(read, data.subarray(begin, end))]).toEqual([begin, end, 0]);
        }
        for (const begin of [undefined, 0, 1, 262_150, 600_000]) {
          const read = new Uint8Array(await entry.readChecked(begin));
          expect([begin, Buffer.compare(read, data.subarray(begin ?? 0))]).toEqual([begin, 0]);
        }
      });
    },
  );

  it("may be empty and yet compressed", async () => {
    const empty = await inEntry(zip({ a: { data: bytes(0), deflate: true } }), (entry) => entry.readChecked());
    expect(empty.byteLength).toBe(0);
  });

  it("may unpack to 1032 times its size, not to more", async () => {
    const open = (claimedSize: number) =>
      inEntry(zip({ a: { data: bytes(0), deflate: true, claimedSize } }), async ({ size }) => size);
    expect(await open(2 * 1032)).toBe(2064);
    expect((await refusal(open(2 * 1032 + 1))).code).toBe("corrupt-file");
  });

  it.each([
    ["encrypted", { flags: 1 }],
    ["packed by another method", { method: 12 }],
  ])("that is %s is known, whatever it unpacks to, until it is read", async (_, part) => {
    await inEntry(zip({ a: { data: bytes(3), claimedSize: 50_000, ...part } }), async (entry) => {
      expect(entry.size).toBe(50_000);
      for (const read of [() => entry.read(0, 1), () => entry.readChecked()])
        expect((await refusal(read())).code).toBe("unsupported-file");
    });
  });

  it("with another bit of its flags is read", async () => {
    const read = inEntry(zip({ a: { data: bytes(3), flags: 0x0806 } }), (entry) => entry.readChecked());
    expect(new Uint8Array(await read)).toEqual(bytes(3));
  });

  it.each([false, true])(
    "is read to where it is asked, and seen to be damaged behind, compressed %s",
    async (deflate) => {
      const file = zip({ a: { data, deflate } });
      const damaged = patched(file, LOCAL + 590_000, file[LOCAL + 590_000]! ^ 0xff);
      await inEntry(damaged, async (entry) => {
        expect(new Uint8Array(await entry.read(5, 1000))).toEqual(data.subarray(5, 1000));
        expect((await refusal(entry.readChecked(599_990))).code).toBe("corrupt-file");
        expect((await refusal(entry.readChecked())).code).toBe("corrupt-file");
      });
    },
  );

  it("that unpacks to less or more than it says is refused, where all of it is asked for", async () => {
    for (const claimedSize of [999, 1001]) {
      await inEntry(zip({ a: { data: bytes(1000), deflate: true, crc: 0, claimedSize } }), async (entry) => {
        expect((await refusal(entry.readChecked())).code).toBe("corrupt-file");
        expect((await refusal(entry.read(0, claimedSize))).code).toBe("corrupt-file");
      });
    }
  });

  const good = zip({ a: { data: bytes(9) }, b: { data: bytes(9) } });
  it.each<[string, Uint8Array]>([
    ["no mark", patched(good, 0, 0)],
    ["another method", patched(good, 8, 8)],
    ["a shorter name", patched(good, 26, 0)],
    ["another name", patched(good, 30, 0x62)],
    ["an extra field that it has no room for", patched(good, 28, 1)],
  ])("whose own header has %s is refused", async (_, file) => {
    expect((await refusal(inEntry(file, (entry) => entry.read(0, 9)))).code).toBe("corrupt-file");
  });

  it("passes on why its bytes cannot be read", async () => {
    const cause = new TensorError({ code: "unreadable-file", message: "gone", fix: "none" });
    const file = zip({ a: { data, deflate: true } });
    await inZip(file, async (source) => {
      const [broken] = await openZip({
        ...source,
        read: (begin, end) => (begin === LOCAL ? Promise.reject(cause) : source.read(begin, end)),
      });
      await expect(broken!.read(0, 5)).rejects.toBe(cause);
    });
  });
});
