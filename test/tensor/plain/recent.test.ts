import fc from "fast-check";
import { expect, it } from "vitest";
import { RecentMap } from "../../../packages/tensor/src/plain/recent.js";

it("a map of recent entries gives what was set last, and nothing else", () => {
  const key = fc.constantFrom("a", "b", "c", "d", "e", "f");
  const step = fc.record({ key, value: fc.option(fc.nat(), { nil: undefined }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const map = new RecentMap<number>(2);
      const truth = new Map<string, number>();
      for (const { key, value } of steps) {
        if (value === undefined) {
          const got = map.get(key);
          if (got !== undefined) expect(got).toBe(truth.get(key));
        } else {
          map.set(key, value);
          truth.set(key, value);
          expect(map.get(key)).toBe(value);
        }
      }
    }),
  );
});

it("a map of recent entries keeps those that are used, and forgets others", () => {
  const map = new RecentMap<number>(3);
  for (let i = 0; i < 20; i++) {
    map.set(`${i}`, i);
    map.get("0");
  }
  expect(map.get("0")).toBe(0);
  expect(map.get("19")).toBe(19);
  expect(map.get("1")).toBeUndefined();
  map.clear();
  expect(map.get("0")).toBeUndefined();
});
