import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { paintRuns, unpackCounts } from "../../../../packages/fcn/src/data/shapes/rle.js";
import { assertProperty } from "../../../support/property.js";

/** COCO's own packing of run lengths, `rleToString` of its maskApi.c. */
function pack(counts: readonly number[]): string {
  let text = "";
  counts.forEach((count, i) => {
    let x = BigInt(i > 2 ? count - (counts[i - 2] as number) : count);
    for (let more = true; more; ) {
      let code = x & 0x1fn;
      x >>= 5n;
      more = code & 0x10n ? x !== -1n : x !== 0n;
      if (more) code |= 0x20n;
      text += String.fromCharCode(Number(code) + 48);
    }
  });
  return text;
}

const image = (height: number, width: number, counts: readonly number[] | string): string[] => {
  const rows = Array.from({ length: height }, () => new Array<number>(width).fill(0));
  paintRuns("a.json", { size: [height, width], counts }, (row, from, to) => (rows[row] as number[]).fill(1, from, to));
  return rows.map((row) => row.join(""));
};
const refused = expect.objectContaining({ code: "corrupt-file" });

describe("COCO's run lengths", () => {
  it("run down the columns and begin with what is outside", () => {
    expect(image(3, 4, [1, 2, 3, 4, 2])).toEqual(["0011", "1010", "1010"]);
    expect(image(2, 3, [0, 6])).toEqual(["111", "111"]);
    expect(image(2, 3, [6])).toEqual(["000", "000"]);
  });

  it.each<[string, readonly number[]]>([
    ["too few pixels", [1, 2]],
    ["too many pixels", [4, 3]],
    ["none", []],
    ["halves", [1.5, 4.5]],
    ["less than nothing", [-1, 7]],
  ])("of %s are refused", (_, counts) => {
    expect(() => image(2, 3, counts)).toThrow(refused);
  });
});

describe("COCO's packed run lengths", () => {
  it.each<[string, number[]]>([
    ["0", [0]],
    ["?", [15]],
    ["`0", [16]],
    ["o0", [31]],
    // Relative to the one two places before, from the fourth on.
    ["1232", [1, 2, 3, 4]],
    ["123O", [1, 2, 3, 1]],
  ])("%s are those of COCO's tools", (text, counts) => {
    expect(pack(counts)).toBe(text);
    expect(unpackCounts("a.json", text)).toEqual(counts);
  });

  it("are unpacked whatever their size", async () => {
    const count = fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 2 ** 20 }), fc.nat({ max: 2 ** 32 - 1 }));
    await assertProperty(fc.array(count, { maxLength: 9 }), 200, async (counts) => {
      expect(unpackCounts("a.json", pack(counts))).toEqual(counts);
    });
    expect(unpackCounts("a.json", pack([2 ** 32 - 1]))).toEqual([2 ** 32 - 1]);
  });

  it.each([
    ["a letter below the first", "/"],
    ["a space", "1 2"],
    ["a letter above the last", "p"],
    ["a letter of another script", "\u0130"],
    ["a number that does not end", "`"],
    ["a number of too many letters", "ooooooo0"],
  ])("with %s are refused", (_, text) => {
    expect(() => unpackCounts("a.json", text)).toThrow(refused);
  });

  it("take seven letters for one number, which holds 2^34 - 1", () => {
    expect(unpackCounts("a.json", "oooooo?")).toEqual([2 ** 34 - 1]);
  });
});
