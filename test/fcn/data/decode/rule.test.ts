import { data } from "@fcn/core";
import { describe, expect, it } from "vitest";
import { applyRule, formatKey, ruleFromOne } from "../../../../packages/fcn/src/data/decode/rule.js";

const planeOf = (width: number, ...keys: readonly number[]) => ({ height: keys.length / width, width, keys });

describe("the rules of numbered classes", () => {
  it("from 0 keep each number, and 255 is void", () => {
    const { labels, strays } = applyRule(planeOf(5, 0, 1, 2, 3, 255), data.indexRule(3));
    expect([...labels]).toEqual([0, 1, 2, 255, 255]);
    expect(strays).toEqual([{ key: 3, pixels: 1, x: 3, y: 0 }]);
    expect(data.indexRule(3).by).toBe("value");
  });

  it.each([
    ["0 is void", undefined, [255, 0, 1, 2], [4, -1, 255]],
    ["0 and -1 are void", [0, -1], [255, 0, 1, 2, 255], [4, 255]],
    ["no number is void", [], [], [0, 4, -1, 255]],
  ] as const)("from 1 are one less, and %s", (_, voids, labels, unknown) => {
    const rule = ruleFromOne(3, voids);
    expect(rule.by).toBe("value");
    const known = [0, 1, 2, 3, -1].slice(0, labels.length);
    expect(applyRule(planeOf(1, ...known), rule)).toMatchObject({ labels: Uint8Array.from(labels), strays: [] });
    const { strays, labels: none } = applyRule(planeOf(1, ...unknown), rule);
    expect(strays.map(({ key }) => key)).toEqual(unknown);
    expect([...none]).toEqual(unknown.map(() => 255));
  });
});

describe("applyRule", () => {
  it("counts keys that the rule does not know, the most frequent first, and where each begins", () => {
    const rule: data.LabelRule = { by: "value", labels: [[0, 0]] };
    const plane = planeOf(4, 0, 7, 9, 9, 9, 0, 8, 8, 0, 7, 9, 8);
    expect(applyRule(plane, rule)).toEqual({
      height: 3,
      width: 4,
      labels: Uint8Array.of(0, 255, 255, 255, 255, 0, 255, 255, 0, 255, 255, 255),
      strays: [
        { key: 9, pixels: 4, x: 2, y: 0 },
        { key: 8, pixels: 3, x: 2, y: 1 },
        { key: 7, pixels: 2, x: 1, y: 0 },
      ],
    });
  });

  it("gives all keys that are not listed the label of the others, and none is stray", () => {
    const rule: data.LabelRule = {
      by: "value",
      labels: [
        [5, 1],
        [6, 255],
      ],
      other: 0,
    };
    const { labels, strays } = applyRule(planeOf(4, 5, 6, 7, 0), rule);
    expect([...labels]).toEqual([1, 255, 0, 0]);
    expect(strays).toEqual([]);
  });
});

it("a key reads as a colour of six digits, or as its number", () => {
  expect(formatKey("colour", 0xff8000)).toBe("#ff8000");
  expect(formatKey("colour", 0x00000a)).toBe("#00000a");
  expect(formatKey("value", 7)).toBe("7");
  expect(formatKey("value", -1)).toBe("-1");
});
