import { data } from "@fcn/core";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { addOpenFlags, openOptions } from "../../../../packages/fcn/src/cli/flags/openFlags.js";
import { LAYOUT_ROWS } from "../../../../packages/fcn/src/data/layouts/index.js";
import { OPEN_OPTIONS, readingOf } from "../../../../packages/fcn/src/data/open/openOptions.js";

const rows = Object.entries(OPEN_OPTIONS);

describe("the table of layouts", () => {
  it("holds the options of each layout in that of all, with flags of different names", () => {
    for (const [, { options }] of LAYOUT_ROWS) expect(OPEN_OPTIONS).toMatchObject(options);
    const flags = rows.flatMap(([, { flag }]) => flag?.split(" ")[0] ?? []);
    expect(new Set(flags).size).toBe(flags.length);
    expect(addOpenFlags(new Command()).options.map(({ long }) => long)).toEqual(flags);
  });

  it("is what data.layouts tells", () => {
    expect(data.layouts()).toEqual(Object.fromEntries(LAYOUT_ROWS.map(([name, { what }]) => [name, what])));
  });

  it.each(rows.filter(([, { fallback }]) => fallback !== undefined))(
    "has a default for %s that it allows",
    (_, row) => {
      expect(row.rule?.holds(row.fallback)).toBe(true);
      expect(row.rule?.parse?.(String(row.fallback))).toEqual(row.fallback);
    },
  );

  it("turns flags into options, of which those that change images or labels decide a run", () => {
    const text =
      "--range 0,4095 --layout voc --year 2012 --d2l 32x48 --mask-suffix _m --nyud-input hha --context-classes 33 --line-width 2.5 --categories a,b --coco-overlap void --sbd s --voc v --skip-bad";
    const options = openOptions(addOpenFlags(new Command()).parse(text.split(" "), { from: "user" }).opts());
    const reading = {
      ...{ d2l: { crop: [32, 48] }, maskSuffix: "_m", input: "hha" },
      ...{ lineWidth: 2.5, overlap: "void" },
    };
    expect(options).toEqual({
      ...{ range: [0, 4095], layout: "voc", year: 2012, contextClasses: 33, categories: ["a", "b"] },
      ...{ sbd: "s", voc: "v", skipBad: true },
      ...reading,
    });
    expect(readingOf(options)).toEqual(reading);
  });
});
