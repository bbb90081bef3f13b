import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkedSession, checkedSettings } from "../../../studio/src/session/check.js";
import { propertySeed } from "../../support/property.js";
import { line, painted, paintings } from "./sessions.js";

const session = painted(20, 30, [[1, line([[3, 4]], 5)]]);
const [image] = session.images;
const [stroke] = image!.strokes;
const withStroke = (change: object): unknown => ({
  ...session,
  images: [{ ...image, strokes: [{ ...stroke, ...change }] }],
});

describe("checkedSession", () => {
  it("takes every session as it is, through JSON too", () => {
    fc.assert(
      fc.property(paintings(20, 30), (any) => {
        expect(checkedSession(any)).toEqual(any);
        expect(checkedSession(JSON.parse(JSON.stringify(any)))).toEqual(any);
      }),
      { seed: propertySeed(), numRuns: 50 },
    );
  });

  it("drops what it does not know", () => {
    expect(checkedSession({ ...session, more: 1, images: [{ ...image, more: 2 }] })).toEqual(session);
  });

  it.each<readonly [unknown, string]>([
    [null, "the session is missing"],
    [[], "the session is missing"],
    [{ classes: session.classes }, "it has no list of images"],
    [{ ...session, classes: [] }, "it has 0 classes, and 1 to 254 are possible"],
    [{ ...session, images: [image, image] }, 'two of its parts have the id "'],
    [{ ...session, images: [{ ...image, name: " " }] }, 'the name of an image is " "'],
    [{ ...session, images: [{ ...image, width: 0 }] }, "the width of an image is 0"],
    [{ ...session, images: [{ ...image, height: Number.NaN }] }, "the height of an image is null"],
    [withStroke({ classId: "nobody" }), 'a stroke has the class "nobody"'],
    [withStroke({ shape: { kind: "circle" } }), 'a stroke has a shape of the kind "circle"'],
    [withStroke({ shape: line([], -1) }), "the width of a line is -1"],
    [withStroke({ shape: { kind: "line", points: [[1]], width: 1 } }), "y is undefined"],
    [withStroke({ order: "first" }), 'the order of a stroke is "first"'],
    [
      { ...session, classes: session.classes.map((one) => ({ ...one, name: "twin" })) },
      'two of its parts are classes of the name "twin"',
    ],
    [
      { ...session, classes: session.classes.map((one) => ({ ...one, colour: [1, 2, 3] })) },
      'the classes "background" and "object" have one colour',
    ],
    [
      { ...session, classes: session.classes.map((one) => ({ ...one, colour: [1, 2] })) },
      "the colour of a class is [1,2]",
    ],
  ])("refuses what is none: %#", (value, why) => {
    expect(() => checkedSession(value)).toThrow(why);
  });
});

describe("checkedSettings", () => {
  it("takes settings, and says what is wrong with others", () => {
    const settings = { net: "own", workSide: 512, augment: false } as const;
    expect(checkedSettings({ ...settings, more: 1 })).toEqual(settings);
    expect(() => checkedSettings({ ...settings, net: "vgg" })).toThrow('the net of its settings is "vgg"');
    expect(() => checkedSettings({ ...settings, workSide: -1 })).toThrow("workSide is -1");
    expect(() => checkedSettings({ ...settings, augment: 1 })).toThrow("do not say whether to augment");
    expect(() => checkedSettings(undefined)).toThrow("the list of settings is missing");
  });
});
