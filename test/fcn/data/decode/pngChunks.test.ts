import { describe, expect, it } from "vitest";
import { isPng, readChunks } from "../../../../packages/fcn/src/data/decode/pngChunks.js";
import { greyPng } from "../trees.js";
import { chunk, pngOf } from "./rawPng.js";

describe("the signature of a PNG", () => {
  it("is its first eight bytes, each of them", () => {
    const file = greyPng(1, 1, () => 0);
    expect(isPng(file)).toBe(true);
    expect(isPng(file.subarray(0, 8))).toBe(true);
    for (let i = 0; i < 8; i++) {
      const other = file.map((value, at) => (at === i ? value ^ 1 : value));
      expect(isPng(other)).toBe(false);
      expect(() => readChunks("a.png", other)).toThrow(expect.objectContaining({ code: "corrupt-file" }));
    }
    expect(isPng(file.subarray(0, 7))).toBe(false);
  });
});

describe("the chunks of a PNG", () => {
  it("lie in the order of the file, by type, up to IEND", () => {
    const file = pngOf(
      chunk("IHDR", [1]),
      chunk("IDAT", [2, 3]),
      chunk("tEXt", []),
      chunk("IDAT", [4]),
      chunk("IEND", []),
      chunk("IDAT", [5]),
    );
    expect([...readChunks("a.png", file)].map(([type, parts]) => [type, parts.map((part) => [...part])])).toEqual([
      ["IHDR", [[1]]],
      ["IDAT", [[2, 3], [4]]],
      ["tEXt", [[]]],
    ]);
  });

  // Bit 5 of the first letter tells those that a reader may leave out, in the specification.
  it.each([
    ["IDAT", true],
    ["PLTE", true],
    ["tEXt", false],
    ["gAMA", false],
  ])("need their checksum only where they are critical: %s", (type, isCritical) => {
    const file = pngOf(chunk(type, [1, 2, 3], 1), chunk("IEND", []));
    const read = (): unknown => readChunks("a.png", file).get(type);
    if (isCritical) expect(read).toThrow(expect.objectContaining({ code: "corrupt-file" }));
    else expect(read()).toEqual([Uint8Array.of(1, 2, 3)]);
    const sound = pngOf(chunk(type, [1, 2, 3]), chunk("IEND", []));
    expect(readChunks("a.png", sound).get(type)).toEqual([Uint8Array.of(1, 2, 3)]);
  });

  it("are cut off anywhere before the end", () => {
    const file = pngOf(chunk("IHDR", [1, 2]), chunk("IEND", []));
    expect(readChunks("a.png", file).size).toBe(1);
    for (let end = 0; end < file.length; end++) {
      const cut = file.subarray(0, end);
      expect(() => readChunks("a.png", cut)).toThrow(expect.objectContaining({ code: "corrupt-file" }));
    }
  });
});
