import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fillArea } from "../../../studio/src/session/fill.js";
import { rasterise, VOID } from "../../../studio/src/session/raster.js";
import { propertySeed } from "../../support/property.js";
import { area, blank, painted } from "./sessions.js";

const WORK = { height: 9, width: 12 };
const FULL = { height: 1350, width: 1800 };

/** The pixels connected to `start` over those of its label, by growing until nothing changes. */
function region(labels: Uint8Array, start: number): Uint8Array {
  const inside = new Uint8Array(labels.length);
  inside[start] = 1;
  for (let grown = true; grown; ) {
    grown = false;
    for (let i = 0; i < labels.length; i++) {
      if (inside[i] === 1 || labels[i] !== labels[start]) continue;
      const [column, row] = [i % WORK.width, Math.floor(i / WORK.width)];
      const next = [
        column > 0 && inside[i - 1],
        column < WORK.width - 1 && inside[i + 1],
        row > 0 && inside[i - WORK.width],
        row < WORK.height - 1 && inside[i + WORK.width],
      ];
      if (next.includes(1)) {
        inside[i] = 1;
        grown = true;
      }
    }
  }
  return inside;
}

describe("fillArea", () => {
  it("is the connected region of one label, exactly, when it is painted at the size it was found at", () => {
    const label = fc.constantFrom(0, 1, VOID);
    const maps = fc.array(label, { minLength: 108, maxLength: 108 }).map((list) => Uint8Array.from(list));
    fc.assert(
      fc.property(maps, fc.nat(107), (labels, start) => {
        const at = [((start % 12) + 0.3) * 150, (Math.floor(start / 12) + 0.9) * 150] as const;
        const found = fillArea(labels, WORK, FULL, at)!;
        const session = painted(FULL.height, FULL.width, [[1, found]]);
        const { all } = rasterise(session.images[0]!, session.classes, WORK);
        expect(all.map((value) => (value === 1 ? 1 : 0))).toEqual(region(labels, start));
      }),
      { seed: propertySeed(), numRuns: 300 },
    );
  });

  it("has holes, and its rings are at full size", () => {
    const labels = new Uint8Array(9 * 12).fill(VOID);
    for (const i of [13, 14, 25, 26]) labels[i] = 1;
    const hole = fillArea(labels, WORK, FULL, [5, 5])!;
    expect(hole.rings).toHaveLength(2);
    expect(new Set(hole.rings[0]!.map(String))).toEqual(new Set(["0,0", "1800,0", "1800,1350", "0,1350"]));
    expect(new Set(hole.rings[1]!.map(String))).toEqual(new Set(["150,150", "450,150", "450,450", "150,450"]));
    const inner = fillArea(labels, WORK, FULL, [299, 299])!;
    expect(inner.rings).toHaveLength(1);
    expect(inner).toEqual({ ...area(), rings: inner.rings });
  });

  it("is nothing outside the image", () => {
    const labels = new Uint8Array(9 * 12);
    for (const at of [
      [-1, 5],
      [5, -1],
      [1800, 5],
      [5, 1350],
    ] as const) {
      expect(fillArea(labels, WORK, blank(1350, 1800), at)).toBeUndefined();
    }
  });
});
