import { TensorError } from "@fcn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import type { ClassEntry } from "../../../../../packages/fcn/src/data/folder/classes.js";
import { vocKeys } from "../../../../../packages/fcn/src/data/folder/colours.js";
import { chooseRule } from "../../../../../packages/fcn/src/data/folder/meaning/chooseRule.js";
import type { MaskMeaning } from "../../../../../packages/fcn/src/data/folder/meaning/meaning.js";
import type { MaskSurvey } from "../../../../../packages/fcn/src/data/workers/surveyMasks.js";

let made = 0;
const survey = (kind: MaskSurvey["kind"], keys: readonly number[], more: Partial<MaskSurvey> = {}): MaskSurvey => ({
  file: `m${made++}.png`,
  stamp: undefined,
  height: 10,
  width: 10 * keys.length,
  kind,
  isRgb: kind === "colour",
  keys,
  pixels: keys.map(() => 100),
  ...more,
});
const grey = (...keys: number[]): MaskSurvey => survey("grey", keys);
const colour = (...keys: number[]): MaskSurvey => survey("colour", keys);
const palette = (colours: number[], ...keys: number[]): MaskSurvey => survey("palette", keys, { palette: colours });
beforeEach(() => {
  made = 0;
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
    const three = chooseRule("r", [grey(0, 255)], named("a", "b", "c"));
    expect(labelOf(three, 255)).toBe(255);
    expect(three.remarks).toMatchObject([{ level: "warning", code: "binary-masks" }]);
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
    const given = chooseRule("r", [colour(0x10, 0x2000)], named("low", "high"));
    expect(given.classes).toEqual(["low", "high"]);
    expect(given.remarks).toMatchObject([
      { level: "warning", text: expect.stringContaining("#000010 low, #002000 high") },
    ]);
    expect(found.remarks[0]?.level).toBe("note");
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

  it("refuses masks in which some colours are those of classes and others are not, where the numbers say something else", () => {
    const listed = [
      { name: "red", colour: 0xff0000 },
      { name: "green", colour: 0x00ff00 },
      { name: "blue", colour: 0x0000ff },
    ];
    const unlisted = palette([0, 0xff0000, 0x00ff00, 0x0000ff], 0, 1, 2, 3);
    expect(() => chooseRule("r", [unlisted], listed)).toThrowError(
      'm0.png: no class has its colour #000000 (stored as 0), but m0.png has #ff0000 of "red" (stored as 1, which as a number is "green")',
    );
    const binary = [
      { name: "bg", colour: 0 },
      { name: "fg", colour: 0xffffff },
    ];
    const surveys = [grey(0, 255), grey(0, 1, 255), grey(0, 255)];
    expect(() => chooseRule("r", surveys, binary)).toThrowError(
      'm2.png: no class has its colour #010101 (stored as 1), but m1.png has #ffffff of "fg" (stored as 255, which as a number is void)',
    );
    const valued = binary.map((entry, value) => ({ ...entry, value }));
    expect([0, 1, 255].map((key) => labelOf(chooseRule("r", surveys, valued), key))).toEqual([0, 1, 255]);
  });

  it("takes numbers where the colours that fit say the same, and where black alone fits grey masks", () => {
    const entries = [
      { name: "sky", colour: 0x0000ff },
      { name: "sea", colour: 0x00ff00 },
      { name: "land", colour: 0 },
    ];
    const found = chooseRule("r", [grey(0, 1, 2)], entries);
    expect([found.rule.by, codes(found)]).toEqual(["value", ["numbers-not-colours"]]);
    expect(found.remarks[0]?.level).toBe("note");
    const same = chooseRule("r", [palette([0x0000ff, 0x00ff00, 0x777777], 0, 1, 2)], entries);
    expect([same.rule.by, same.remarks[0]?.level]).toEqual(["value", "warning"]);
    expect(() => chooseRule("r", [palette([0, 5, 6], 0, 1, 2)], entries)).toThrowError(TensorError);
  });

  it("reads palettes by colour beside RGB masks of the same colours", () => {
    const entries = [0, 0x800000, 0x008000].map((key, i) => ({ name: `c${i}`, colour: key }));
    const colours = [0, 0x800000, 0x008000];
    const surveys = [palette(colours, 0, 1, 2), palette(colours, 0, 2), palette(colours, 0), colour(0, 0x800000)];
    expect(chooseRule("r", surveys, entries).rule.by).toBe("colour");
  });

  it("refuses masks of 0 and 255 beside masks with other numbers, unless values say what is meant", () => {
    const stray = [...Array.from({ length: 9 }, () => grey(0, 255)), grey(0, 1, 255)];
    for (const names of [undefined, named("background", "crack")]) {
      expect(() => chooseRule("r", stray, names)).toThrowError(
        "m0.png: this mask and 8 more hold only 0 and 255, but m9.png holds 1: as labels 255 is void, not a class",
      );
      expect(() => chooseRule("r", [grey(0, 1), grey(0, 1), grey(0, 255)], names)).toThrowError("only 0 and 255");
    }
    const values = ["background", "crack"].map((name, value) => ({ name, value }));
    expect(labelOf(chooseRule("r", stray, values), 255)).toBe(255);
    const doubtful = chooseRule("r", [grey(0, 1, 255), grey(0, 1, 255), grey(0, 255)], undefined);
    expect(doubtful.remarks.map(({ level, code }) => [level, code])).toContainEqual(["warning", "mixed-masks"]);
    expect(codes(chooseRule("r", stray, named("a", "b", "c")))).toEqual(["mixed-masks"]);
    expect(codes(chooseRule("r", [grey(0, 1, 255), grey(0, 1)], named("a", "b")))).toEqual([]);
  });

  it("proposes values for numbers with more gaps than numbers", () => {
    const { classes, remarks } = chooseRule("r", [grey(0, 50), grey(90, 150)], undefined);
    expect(classes).toHaveLength(151);
    expect(remarks.map(({ level, code }) => [level, code])).toEqual([["warning", "label-gaps"]]);
    expect(remarks[0]?.text).toContain(
      'as labels they ask for 151 classes; if they are 4 classes, list them in classes.json: [{"name": "...", "value": 0}, {"name": "...", "value": 50},',
    );
    expect(codes(chooseRule("r", [grey(0, 50)], named("a", "b")))).toEqual([]);
  });

  it("refuses grey levels in even steps that do not reach white", () => {
    for (const levels of [
      [0, 50, 100, 150],
      [0, 100, 200],
      [0, 40, 80, 120, 160, 200],
    ]) {
      const last = levels.at(-1) as number;
      for (const names of [undefined, named(...levels.map((level) => `c${level}`))]) {
        expect(() => chooseRule("r", [grey(0), grey(...levels)], names)).toThrowError(
          `${levels.join(", ")}, in even steps from black: as labels they would ask for ${last + 1} classes`,
        );
      }
      const all = named(...Array.from({ length: last + 1 }, (_, i) => `c${i}`));
      expect(labelOf(chooseRule("r", [grey(...levels)], all), last)).toBe(last);
    }
    expect(chooseRule("r", [grey(0, 2, 4, 6)], undefined).classes).toHaveLength(7);
  });

  it("names the classes for which the masks have no colour left", () => {
    const { classes, remarks } = chooseRule("r", [colour(0, 0xff0000)], named("ground", "cat", "dog"));
    expect(classes).toEqual(["ground", "cat"]);
    expect(remarks[0]).toMatchObject({ level: "warning", code: "colours-found" });
    expect(remarks[0]?.text).toContain("classes.json has 3 names for 2 colours, so that the last is left out (dog)");
    expect(chooseRule("r", [colour(0, 0xff0000)], named("ground", "cat")).remarks[0]?.text).not.toContain("left out");
  });

  it("warns of a class of a few pixels in one mask, and names it", () => {
    const rare = { pixels: [5000, 5000, 1] };
    const painted = chooseRule(
      "r",
      [colour(0, 0xff0000), survey("colour", [0, 0xfe0000, 0xff0000], { pixels: [5000, 1, 5000] })],
      undefined,
    );
    expect(painted.remarks.map(({ level, code, file }) => [level, code, file])).toEqual([
      ["note", "colours-found", "r"],
      ["warning", "rare-class", "m1.png"],
    ]);
    const numbers = chooseRule("r", [grey(0, 1), survey("grey", [0, 1, 2], rare)], undefined);
    expect(numbers.remarks.at(-1)?.text).toMatch(/^2 \(1 pixel\) is in this mask alone/);
    expect(codes(chooseRule("r", [grey(0, 1), survey("grey", [0, 1, 2], rare)], named("a", "b", "c")))).toEqual([]);
  });

  it("refuses palettes that have one colour under two numbers", () => {
    expect(() => chooseRule("r", [palette([0, 5, 6], 0, 1), palette([0, 6, 5], 0, 2)], undefined)).toThrowError(
      "m1.png: its palette has the colour #000005 under the number 2, that of m0.png under 1: the numbers are no labels",
    );
    const unused = chooseRule("r", [palette([0, 5, 0], 0, 1), palette([0, 5, 0], 2)], undefined);
    expect(codes(unused)).toEqual(["classes-found"]);
  });

  it("refuses a class that is to be ignored without saying which number it is", () => {
    const entries = [{ name: "a" }, { name: "x", ignore: true }, { name: "c" }];
    expect(() => chooseRule("r", [grey(0, 2)], entries)).toThrowError('classes.json: "x" is to be ignored');
  });

  it.each<[string, MaskSurvey[], ClassEntry[] | undefined, string]>([
    [
      "more colours than names",
      [colour(1, 2, 0x300)],
      named("a", "b"),
      "r: the masks hold 3 colours (#000001, #000002, #000300), but classes.json has 2 names; the rarest is #000001, 100 pixels in ",
    ],
    [
      "hundreds of colours",
      [colour(...Array.from({ length: 300 }, (_, i) => i * 300))],
      undefined,
      "png: the masks hold 300 colours, 300 in this one",
    ],
    ["16-bit numbers", [grey(0, 1000)], undefined, "png: it holds the number 1000"],
  ])("refuses %s", (_, surveys, entries, problem) => {
    expect(() => chooseRule("r", surveys, entries)).toThrowError(TensorError);
    expect(() => chooseRule("r", surveys, entries)).toThrowError(problem);
  });
});
