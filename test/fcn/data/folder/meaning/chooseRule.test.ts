import { TensorError } from "@fcn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import type { ClassEntry } from "../../../../../packages/fcn/src/data/folder/classes.js";
import { vocKeys } from "../../../../../packages/fcn/src/data/folder/colours.js";
import { chooseRule, type MaskMeaning } from "../../../../../packages/fcn/src/data/folder/meaning/chooseRule.js";
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
  isSoft: false,
  hasShapesInAlpha: false,
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
function fixOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as TensorError).fix ?? "";
  }
  return "";
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

  it("asks what 255 means in grey masks of 0 and 255 alone, and takes what values say", () => {
    expect(() => chooseRule("r", [grey(0, 255), grey(0)], undefined)).toThrowError(
      "m0.png: it holds only 0 and 255: 255 may be a class, or void as in other masks; all masks together hold 0 (200 pixels), 255 (100 pixels)",
    );
    const pasted = '[{"name": "sky", "value": 0}, {"name": "bird", "value": 255}], without 255 where it is void';
    expect(fixOf(() => chooseRule("r", [grey(0, 255)], named("sky", "bird")))).toContain(pasted);
    expect(() => chooseRule("r", [grey(0, 255)], named("a", "b", "c"))).toThrowError("only 0 and 255");
    const entries = ["sky", "bird"].map((name, i) => ({ name, value: 255 * i }));
    const binary = chooseRule("r", [grey(0, 255)], entries);
    expect([0, 255, 1].map((key) => labelOf(binary, key))).toEqual([0, 1, undefined]);
    const indices = chooseRule("r", [palette([0, 5], 0, 255)], named("a", "b"));
    expect([0, 255].map((key) => labelOf(indices, key))).toEqual([0, 255]);
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

  it("reads by colour wherever classes.json gives colours, also masks that have none of them", () => {
    const entries = [
      { name: "a", colour: 0x112233 },
      { name: "b", colour: 0xff0000 },
    ];
    for (const mask of [grey(0, 1), palette([0x010203, 0x040506], 0, 1), palette([0, 0xff0000], 0, 1)]) {
      const found = chooseRule("r", [mask], entries);
      expect(found.rule.by).toBe("colour");
      expect([0x112233, 0xff0000, 0, 1].map((key) => labelOf(found, key))).toEqual([0, 1, undefined, undefined]);
    }
    const valued = entries.map((entry, value) => ({ ...entry, value }));
    const numbers = chooseRule("r", [grey(0, 1)], valued);
    expect(numbers).toMatchObject({
      rule: { by: "value" },
      palette: [
        [0x11, 0x22, 0x33],
        [255, 0, 0],
      ],
    });
    expect([0, 1, 255].map((key) => labelOf(numbers, key))).toEqual([0, 1, 255]);
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

  it("asks for the classes of other colours, with what was found and a list to fill in", () => {
    const surveys = [colour(0xff8000, 0x000102), grey(9, 900), colour(VOID_COLOUR, 0x000102)];
    for (const names of [undefined, named("low", "mid", "high")]) {
      const open = (): MaskMeaning => chooseRule("r", surveys, names);
      expect(open).toThrowError(
        "m0.png: it holds #ff8000, and all masks together hold #000102 (200 pixels), #090909 (100 pixels), #ff8000 (100 pixels): these are not the colours of PASCAL VOC",
      );
      expect(fixOf(open)).toBe(
        'give each class its color in classes.json: [{"name": "class 0", "color": "#000102"}, {"name": "class 1", "color": "#090909"}, {"name": "class 2", "color": "#ff8000"}], or repaint the pixels that are mistakes',
      );
    }
    const mended = JSON.parse(/\[.*\]/.exec(fixOf(() => chooseRule("r", surveys, undefined)))?.[0] ?? "") as unknown[];
    expect(mended).toHaveLength(3);
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

  it("reads palettes by colour beside RGB masks of the same colours", () => {
    const entries = [0, 0x800000, 0x008000].map((key, i) => ({ name: `c${i}`, colour: key }));
    const colours = [0, 0x800000, 0x008000];
    const surveys = [palette(colours, 0, 1, 2), palette(colours, 0, 2), palette(colours, 0), colour(0, 0x800000)];
    expect(chooseRule("r", surveys, entries).rule.by).toBe("colour");
  });

  it("refuses masks of 0 and 255 beside masks with other numbers, unless values say what is meant", () => {
    const stray = [...Array.from({ length: 9 }, () => grey(0, 255)), grey(0, 1, 255)];
    for (const names of [undefined, named("background", "crack"), named("a", "b", "c")]) {
      expect(() => chooseRule("r", stray, names)).toThrowError(
        "m0.png: it holds only 0 and 255; the same is true of 8 more masks: 255 may be a class, or void as in other masks; all masks together hold 0 (1000 pixels), 1 (100 pixels), 255 (1000 pixels)",
      );
      expect(() => chooseRule("r", [grey(0, 1), grey(0, 1), grey(0, 255)], names)).toThrowError("only 0 and 255");
    }
    const values = ["background", "crack"].map((name, value) => ({ name, value }));
    expect(labelOf(chooseRule("r", stray, values), 255)).toBe(255);
    expect(codes(chooseRule("r", [grey(0, 1, 255), grey(0, 1)], named("a", "b")))).toEqual([]);
  });

  it("asks for the classes of numbers with gaps, with values and the given names", () => {
    const open = (names?: ClassEntry[]) => (): MaskMeaning => chooseRule("r", [grey(0, 50), grey(90, 150)], names);
    expect(open()).toThrowError(
      "m0.png: it holds 50, and all masks together hold 0 (100 pixels), 50 (100 pixels), 90 (100 pixels), 150 (100 pixels): without a list of classes, the numbers must be 0, 1, 2 and so on without a gap, and 255 is void",
    );
    expect(fixOf(open())).toContain(
      'give each class its value in classes.json: [{"name": "class 0", "value": 0}, {"name": "class 1", "value": 50},',
    );
    expect(open(named("a", "b", "c", "d"))).toThrowError(
      "classes.json has 4 names, for the numbers from 0 to 3, and 255 is void",
    );
    expect(fixOf(open(named("a", "b", "c", "d")))).toContain('{"name": "d", "value": 150}]');
    for (const levels of [
      [0, 50, 100, 150],
      [0, 100, 200],
      [0, 40, 80, 120, 160, 200],
      [1, 2],
      [0, 2, 4, 6],
    ]) {
      expect(() => chooseRule("r", [grey(0), grey(...levels)].slice(levels[0]), undefined)).toThrowError(
        "without a gap",
      );
      const last = levels.at(-1) as number;
      const all = named(...Array.from({ length: last + 1 }, (_, i) => `c${i}`));
      expect(labelOf(chooseRule("r", [grey(...levels)], all), last)).toBe(last);
    }
  });

  it("leaves few masks with numbers or colours of no class to the check, which names each", () => {
    const surveys = [grey(0, 1), grey(0, 1), grey(0, 7), colour(0xff0000)];
    const found = chooseRule("r", surveys, named("a", "b"));
    expect([0, 1, 7].map((key) => labelOf(found, key))).toEqual([0, 1, undefined]);
    expect(() => chooseRule("r", [grey(0, 1), grey(7), grey(8)], named("a", "b"))).toThrowError("m5.png: it holds 7");
  });

  it("says how many pixels each number has where no list names the classes", () => {
    const { remarks } = chooseRule(
      "r",
      [grey(0, 1), survey("grey", [0, 1, 2], { pixels: [5000, 5000, 1] })],
      undefined,
    );
    expect(remarks.map(({ level, text }) => [level, text])).toEqual([
      [
        "note",
        "no classes.json: the largest label in the masks is 2, so there are 3 classes without names; list their names in classes.json; the masks hold 0 (5100 pixels), 1 (5100 pixels), 2 (1 pixel)",
      ],
    ]);
  });

  it("refuses palettes that have two colours under one number", () => {
    expect(() => chooseRule("r", [palette([0, 5], 0, 1), palette([0, 6], 0, 1)], undefined)).toThrowError(
      "m1.png: its palette has #000006 for the number 1, but that of m0.png has #000005: one number may mean two classes",
    );
    expect(codes(chooseRule("r", [palette([0, 5], 0, 1), palette([0, 6], 0)], undefined))).toEqual(["classes-found"]);
  });

  it("refuses palettes that have one colour under two numbers", () => {
    expect(() => chooseRule("r", [palette([0, 5, 6], 0, 1), palette([0, 6, 5], 0, 2)], undefined)).toThrowError(
      "m1.png: its palette has #000005 for the number 2, but that of m0.png has #000006: one number may mean two classes",
    );
    const unused = chooseRule("r", [palette([0, 5, 0], 0, 1), palette([0, 5, 0], 2)], undefined);
    expect(codes(unused)).toEqual(["classes-found"]);
  });

  it("refuses a class that is to be ignored without saying which number it is", () => {
    const entries = [{ name: "a" }, { name: "x", ignore: true }, { name: "c" }];
    expect(() => chooseRule("r", [grey(0, 2)], entries)).toThrowError('classes.json: "x" has "ignore", but no value');
  });

  it.each<[string, MaskSurvey[], ClassEntry[] | undefined, string]>([
    [
      "more colours than names",
      [colour(1, 2, 0x300)],
      named("a", "b"),
      "png: it holds #000001, and all masks together hold #000001 (100 pixels), #000002 (100 pixels), #000300 (100 pixels): these are not the colours of PASCAL VOC, and classes.json does not say which colour each class has",
    ],
    [
      "hundreds of colours",
      [colour(...Array.from({ length: 300 }, (_, i) => i * 300))],
      undefined,
      "and 288 more: these are not the colours of PASCAL VOC, and no list says which classes they are",
    ],
    ["16-bit numbers", [grey(0, 1000)], undefined, "png: it holds 1000, and all masks together hold"],
  ])("refuses %s", (_, surveys, entries, problem) => {
    expect(() => chooseRule("r", surveys, entries)).toThrowError(TensorError);
    expect(() => chooseRule("r", surveys, entries)).toThrowError(problem);
  });
});
