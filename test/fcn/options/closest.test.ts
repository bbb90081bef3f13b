import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseFrom, closest, didYouMean } from "../../../packages/fcn/src/options/closest.js";

const MANY = ["train", "eval", "predict", "convert", "export", "tune", "bench", "demo", "doctor"];

describe("names that may have been meant", () => {
  it("are at most three of the names, the closest first", () => {
    fc.assert(
      fc.property(fc.string(), fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 12 }), (text, names) => {
        const found = closest(text, names);
        expect(found.length).toBeLessThanOrEqual(3);
        for (const name of found) expect(names).toContain(name);
        if (names.includes(text)) expect(found[0]?.toLowerCase()).toBe(text.toLowerCase());
      }),
    );
  });

  it("are worded as a question, or left out where none is close", () => {
    expect(didYouMean("trian", MANY)).toBe("did you mean train?");
    expect(didYouMean("EXPROT", MANY)).toBe("did you mean export?");
    expect(didYouMean("convrt", ["x", "concert", "convey", "convert"])).toBe(
      "did you mean convert, concert or convey?",
    );
    expect(didYouMean("zzz", MANY)).toBeUndefined();
  });

  it("stand beside the place of all where these are many, and all are named where they are few", () => {
    expect(chooseFrom("trian", MANY, "fcn --help")).toBe("did you mean train? fcn --help lists all 9");
    expect(chooseFrom("zzz", MANY, "fcn --help")).toBe("fcn --help lists all 9");
    expect(chooseFrom("zzz", ["a", "b"], "fcn --help")).toBe("use one of: a, b");
  });
});
