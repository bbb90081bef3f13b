import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const PLACE = /`((?:packages|docs|test|bench|scripts)\/[\w./-]*)`/g;

describe("the map of the packages", () => {
  const places = [...readFileSync(join(root, "docs/map.md"), "utf8").matchAll(PLACE)].map(([, place]) => place!);

  it("names places", () => expect(places.length).toBeGreaterThan(20));
  it.each([...new Set(places)])("%s exists", (place) => expect(existsSync(join(root, place))).toBe(true));
});
