import { TensorError } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { chooseRule, type MaskMeaning } from "../../../../packages/fcn/dist/data/folder/chooseRule.js";
import type { ClassEntry } from "../../../../packages/fcn/dist/data/folder/classes.js";
import { vocKeys } from "../../../../packages/fcn/dist/data/folder/colours.js";
import type { MaskSurvey } from "../../../../packages/fcn/dist/data/folder/surveyMasks.js";

const grey = (...keys: number[]): MaskSurvey => ({ file: "m.png", kind: "grey", isRgb: false, keys });
const colour = (...keys: number[]): MaskSurvey => ({ file: "m.png", kind: "colour", isRgb: true, keys });
const palette = (colours: number[], ...keys: number[]): MaskSurvey => ({
  file: "m.png",
  kind: "palette",
  isRgb: false,
  keys,
  palette: colours,
});
const named = (...names: string[]): ClassEntry[] => names.map((name) => ({ name }));
const VOID_COLOUR = 0xe0e0c0;

function labelOf({ rule }: MaskMeaning, key: number): number | undefined {
  return new Map(rule.labels).get(key) ?? rule.other;
}
const codes = ({ remarks }: MaskMeaning): string[] => remarks.map(({ code }) => code);

describe("chooseRule", () => {
  it("takes grey values as labels, 255 as void", () => {
    const found = chooseRule("r", [grey(0, 2), grey(1, 255)], undefined);
    expect(found.classes).toEqual(["class 0", "class 1", "class 2"]);
    expect([0, 1, 2, 255, 3].map((key) => labelOf(found, key))).toEqual([0, 1, 2, 255, undefined]);
    expect(codes(found)).toEqual(["classes-found"]);
    const given = chooseRule("r", [grey(0, 2)], named("a", "b", "c", "d"));
    expect(given.classes).toEqual(["a", "b", "c", "d"]);
    expect(labelOf(given, 3)).toBe(3);
  });

  it("takes masks of 0 and 255 alone as two classes and says so, but not where more classes are named", () => {
    const binary = chooseRule("r", [grey(0, 255), grey(0)], undefined);
    expect(binary.classes).toEqual(["background", "foreground"]);
    expect([0, 255, 1].map((key) => labelOf(binary, key))).toEqual([0, 1, undefined]);
    expect(codes(binary)).toEqual(["binary-masks"]);
    expect(chooseRule("r", [grey(0, 255)], named("sky", "bird")).classes).toEqual(["sky", "bird"]);
    expect(labelOf(chooseRule("r", [grey(0, 255)], named("a", "b", "c")), 255)).toBe(255);
  });

  it("follows values that classes.json gives", () => {
    const entries = [
      { name: "road", value: 90 },
      { name: "car", value: 200 },
      { name: "?", value: 7, ignore: true },
    ];
    const found = chooseRule("r", [grey(7, 90, 200)], entries);
    expect(found.classes).toEqual(["road", "car"]);
    expect([90, 200, 7, 255, 0].map((key) => labelOf(found, key))).toEqual([0, 1, 255, 255, undefined]);
  });

  it("follows colours that classes.json gives, in RGB, palette and black and white masks", () => {
    const entries = [
      { name: "a", colour: 0 },
      { name: "b", colour: 0xff0000 },
      { name: "x", colour: 0x00ff00, ignore: true },
    ];
    const painted = chooseRule("r", [colour(0, 0xff0000), grey(0)], entries);
    expect(painted).toMatchObject({
      rule: { by: "colour" },
      classes: ["a", "b"],
      palette: [
        [0, 0, 0],
        [255, 0, 0],
      ],
    });
    expect([0, 0xff0000, 0x00ff00, VOID_COLOUR, 5].map((key) => labelOf(painted, key))).toEqual([
      0,
      1,
      255,
      255,
      undefined,
    ]);
    expect(chooseRule("r", [palette([0xff0000, 0], 0, 1)], entries).rule.by).toBe("colour");
    const white = [
      { name: "a", colour: 0 },
      { name: "b", colour: 0xffffff },
    ];
    expect(chooseRule("r", [grey(0, 255)], white).rule.by).toBe("colour");
  });

  it("keeps numbers where the colours of classes.json are not in the masks", () => {
    const entries = [
      { name: "a", colour: 0x112233 },
      { name: "b", colour: 0xff0000 },
    ];
    const numbers = chooseRule("r", [grey(0, 1)], entries);
    expect(numbers).toMatchObject({
      rule: { by: "value" },
      palette: [
        [0x11, 0x22, 0x33],
        [255, 0, 0],
      ],
    });
    expect([0, 1, 255].map((key) => labelOf(numbers, key))).toEqual([0, 1, 255]);
    expect(chooseRule("r", [palette([0x010203, 0x040506], 0, 1)], entries).rule.by).toBe("value");
  });

  it("numbers the colours of PASCAL VOC in RGB masks as VOC does, without its names", () => {
    const voc = vocKeys(21);
    const painted = chooseRule("r", [colour(0, voc[2]!, VOID_COLOUR)], undefined);
    expect(painted.classes).toEqual(["class 0", "class 1", "class 2"]);
    expect([0, voc[2]!, VOID_COLOUR, voc[3]!].map((key) => labelOf(painted, key))).toEqual([0, 2, 255, undefined]);
    expect(codes(painted)).toEqual(["voc-colours", "classes-found"]);
    expect(painted.remarks[1]?.text).toContain("the largest label in the masks is 2, so there are 3 classes");
    const own = chooseRule("r", [colour(0, voc[2]!)], named("nothing", "one", "two"));
    expect(labelOf(own, voc[2]!)).toBe(2);
    expect(codes(own)).toEqual(["voc-colours"]);
  });

  it("takes the names of PASCAL VOC only where all of its labels occur", () => {
    const all = vocKeys(21);
    const painted = chooseRule("r", [colour(...all.slice(0, 9)), colour(...all.slice(9), VOID_COLOUR)], undefined);
    expect(painted.classes[15]).toBe("person");
    expect([all[15]!, VOID_COLOUR].map((key) => labelOf(painted, key))).toEqual([15, 255]);
    expect(codes(painted)).toEqual(["voc-colours", "voc-names"]);
    const indices = all.map((_, label) => label);
    const indexed = chooseRule("r", [palette(vocKeys(256), ...indices, 255)], undefined);
    expect([indexed.classes.length, indexed.classes[20]]).toEqual([21, "tvmonitor"]);
    expect(codes(indexed)).toEqual(["voc-names"]);
    expect(chooseRule("r", [palette(vocKeys(256), ...indices)], named(...indices.map(String))).classes[15]).toBe("15");
    for (const some of [[0, 1, 2, 255], [0, 20, 255], indices.slice(0, -1), [...indices, 21]]) {
      const found = chooseRule("r", [palette(vocKeys(256), ...some)], undefined);
      const largest = Math.max(...some.filter((label) => label < 255));
      expect(found.classes).toEqual(Array.from({ length: largest + 1 }, (_, label) => `class ${label}`));
      expect(found.palette[1]).toEqual([128, 0, 0]);
      expect(codes(found)).toEqual(["classes-found"]);
    }
  });

  it("numbers other colours in rising order", () => {
    const found = chooseRule("r", [colour(0xff8000, 0x000102), grey(9, 900), colour(VOID_COLOUR, 0x000102)], undefined);
    expect(found.classes).toEqual(["#000102", "#090909", "#ff8000"]);
    expect([0x000102, 0x090909, 0xff8000, VOID_COLOUR].map((key) => labelOf(found, key))).toEqual([0, 1, 2, 255]);
    expect(found.palette[2]).toEqual([255, 128, 0]);
    expect(chooseRule("r", [colour(0x10, 0x2000)], named("low", "high")).classes).toEqual(["low", "high"]);
  });

  it("takes a number whose colour in the palette is that of void for void, unless it is a named class", () => {
    const colours = [0, 0xff0000, VOID_COLOUR];
    const found = chooseRule("r", [palette(colours, 0, 1, 2)], undefined);
    expect(found.classes).toHaveLength(2);
    expect([0, 1, 2].map((key) => labelOf(found, key))).toEqual([0, 1, 255]);
    expect(labelOf(chooseRule("r", [palette(colours, 0, 1, 2)], named("a", "b", "c")), 2)).toBe(2);
  });

  it("does not let one RGB mask among many others decide", () => {
    const found = chooseRule("r", [grey(0, 1), colour(0xff0000), grey(2)], undefined);
    expect(found).toMatchObject({ rule: { by: "value" }, classes: ["class 0", "class 1", "class 2"] });
  });

  it("warns of palettes that differ", () => {
    const differ = chooseRule("r", [palette([0, 5], 0, 1), palette([0, 6], 0, 1)], undefined);
    expect(codes(differ)).toContain("palettes-differ");
    expect(codes(chooseRule("r", [palette([0, 5], 0, 1), palette([0, 6], 0)], undefined))).not.toContain(
      "palettes-differ",
    );
  });

  it.each<[string, MaskSurvey[], ClassEntry[] | undefined, string]>([
    [
      "more colours than names",
      [colour(1, 2, 0x300)],
      named("a", "b"),
      "r: the masks hold 3 colours (#000001, #000002, #000300), but classes.json has 2 names",
    ],
    [
      "hundreds of colours",
      [colour(...Array.from({ length: 300 }, (_, i) => i * 300))],
      undefined,
      "m.png: the masks hold 300 colours, 300 in this one",
    ],
    ["16-bit numbers", [grey(0, 1000)], undefined, "m.png: it holds the number 1000"],
  ])("refuses %s", (_, surveys, entries, problem) => {
    expect(() => chooseRule("r", surveys, entries)).toThrowError(TensorError);
    expect(() => chooseRule("r", surveys, entries)).toThrowError(problem);
  });
});
