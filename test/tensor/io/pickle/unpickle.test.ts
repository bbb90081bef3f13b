import { TensorError } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import type { Source } from "../../../../packages/tensor/src/io/files/source.js";
import { unpickle, unpickleFrom } from "../../../../packages/tensor/src/io/pickle/unpickle.js";
import type { PickleHooks } from "../../../../packages/tensor/src/io/pickle/values.js";

const at = { reader: "test", file: "a" };
const bytesOf = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const plain: PickleHooks = {
  find: () => null,
  refusal: () => undefined,
  persistent: () => null,
  takesState: () => false,
};
const refused = new TensorError({ code: "unsafe-pickle", message: "a name", fix: "none" });
/** Refuses every global at the end. */
function strict(): PickleHooks {
  let asked = false;
  const find = () => {
    asked = true;
    return null;
  };
  return { ...plain, find, refusal: () => (asked ? refused : undefined) };
}

describe("unpickle", () => {
  it.each([
    ["at its end", "cm\nf\n."],
    ["where what stands for it breaks the pickle", "cm\nf\n)R."],
  ])("refuses a name %s", (_, text) => {
    expect(() => unpickle(at, bytesOf(text), strict())).toThrow(refused);
  });

  it("takes what asks for no name, and says of a pickle that it ends early rather than of its names", () => {
    expect(unpickle(at, bytesOf("N."), strict()).value).toBe(null);
    expect(() => unpickle(at, bytesOf("cm\nf\n"), strict())).toThrow(expect.objectContaining({ code: "corrupt-file" }));
  });

  it("passes on other errors of what it asks", () => {
    const persistent = () => {
      throw refused;
    };
    expect(() => unpickle(at, bytesOf("NQ."), { ...plain, persistent })).toThrow(refused);
  });

  it("takes four million steps and no more", () => {
    const steps = new Uint8Array(4_000_001).fill(0x4e);
    steps[3_999_999] = steps[4_000_000] = 0x2e;
    expect(unpickle(at, steps, plain)).toEqual({ value: null, length: 4_000_000 });
    steps[3_999_999] = 0x4e;
    expect(() => unpickle(at, steps, plain)).toThrow(expect.objectContaining({ code: "unsupported-file" }));
  });
});

describe("unpickleFrom", () => {
  /** A file of this size, of which only the bytes at its beginning are there, and what was read of it. */
  function source(size: number, bytes: Uint8Array): { source: Source; reads: [number, number][] } {
    const reads: [number, number][] = [];
    const read: Source["read"] = async (begin, end) => {
      reads.push([begin, end]);
      return bytes.slice(begin, end).buffer;
    };
    return { source: { ...at, size, read }, reads };
  }
  const corrupt = expect.objectContaining({ code: "corrupt-file" });

  it("reads a pickle in the middle of a file", async () => {
    const file = source(9, bytesOf("xxxK\x05.xxx"));
    expect(await unpickleFrom(file.source, 3, plain)).toEqual({ value: 5, length: 3 });
    expect(file.reads).toEqual([[3, 9]]);
  });

  it("reads more while the pickle goes on", async () => {
    const long = bytesOf(`xB\0\0\x02\0${"a".repeat(2 ** 17)}.`);
    const file = source(1e9, long);
    expect((await unpickleFrom(file.source, 1, plain)).length).toBe(long.length - 1);
    expect(file.reads).toEqual([1, 4].map((times) => [1, 1 + times * 2 ** 16]));
  });

  it("stops where the file does", async () => {
    const file = source(100_000, bytesOf("B\0\0\0\x0f"));
    await expect(unpickleFrom(file.source, 0, plain)).rejects.toThrow(corrupt);
    expect(file.reads).toEqual([
      [0, 2 ** 16],
      [0, 100_000],
    ]);
    const behind = source(10, bytesOf("N."));
    await expect(unpickleFrom(behind.source, 11, plain)).rejects.toThrow(corrupt);
    expect(behind.reads).toEqual([[10, 10]]);
  });

  it("stops after 128 MiB", async () => {
    const file = source(1e9, bytesOf("B\0\0\0\x0f"));
    await expect(unpickleFrom(file.source, 0, plain)).rejects.toThrow(corrupt);
    expect(file.reads.map(([, end]) => Math.log2(end))).toEqual([16, 18, 20, 22, 24, 26, 27]);
  });

  it("does not read on where the pickle is wrong", async () => {
    const file = source(1e9, bytesOf("\xff"));
    await expect(unpickleFrom(file.source, 0, plain)).rejects.toThrow(corrupt);
    expect(file.reads).toHaveLength(1);
    await expect(unpickleFrom(source(9, bytesOf("cm\nf\n.")).source, 0, strict())).rejects.toBe(refused);
    await expect(unpickleFrom(source(9, bytesOf("cm\nf\n)R.")).source, 0, strict())).rejects.toBe(refused);
  });
});
