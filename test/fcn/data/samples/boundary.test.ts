import { data } from "@fcn/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const side = (label: number): number => (label === 0 ? 0 : 1);

describe("boundaryBand", () => {
  it("keeps what lies within the radius of the other side", () => {
    const labels = Uint8Array.from([0, 0, 0, 0, 1, 1, 2, 2]);
    const band = data.boundaryBand(labels, { height: 1, width: 8, radius: 2, side });
    expect([...band]).toEqual([255, 255, 0, 0, 1, 1, 255, 255]);
  });

  it("sees across a line of void, which itself stays void, and sees no boundary between classes of one side", () => {
    const labels = Uint8Array.from([0, 0, 255, 1, 2, 2]);
    const band = data.boundaryBand(labels, { height: 1, width: 6, radius: 2, side });
    expect([...band]).toEqual([255, 0, 255, 1, 255, 255]);
    const land = Uint8Array.from([1, 1, 2, 2]);
    expect([...data.boundaryBand(land, { height: 2, width: 2, radius: 4, side })]).toEqual([255, 255, 255, 255]);
  });

  it("measures Euclidean distance: a corner neighbour is farther than 1", () => {
    const labels = Uint8Array.from([0, 1, 1, 1]);
    const near = data.boundaryBand(labels, { height: 2, width: 2, radius: 1, side });
    expect([...near]).toEqual([0, 1, 1, 255]);
    const wider = data.boundaryBand(labels, { height: 2, width: 2, radius: 1.5, side });
    expect([...wider]).toEqual([0, 1, 1, 1]);
  });

  it("equals the nearest-distance definition on random maps", () => {
    const width = 7;
    const map = fc.array(fc.constantFrom(0, 1, 2, 255), { minLength: width * 6, maxLength: width * 6 });
    fc.assert(
      fc.property(map, fc.constantFrom(1, 2, 3), (list, radius) => {
        const band = data.boundaryBand(Uint8Array.from(list), { height: 6, width, radius, side });
        list.forEach((label, i) => {
          const distances = list.map((other, j) => {
            if (label === 255 || other === 255 || side(other) === side(label)) return Number.POSITIVE_INFINITY;
            return Math.hypot((i % width) - (j % width), Math.floor(i / width) - Math.floor(j / width));
          });
          expect(band[i]).toBe(Math.min(...distances) <= radius ? label : 255);
        });
      }),
      { seed: 20, numRuns: 60 },
    );
  });
});

describe("voidEdges", () => {
  it("equals the nearest-distance definition on random maps", () => {
    const width = 7;
    const map = fc.array(fc.constantFrom(0, 1, 2, 255), { minLength: width * 6, maxLength: width * 6 });
    fc.assert(
      fc.property(map, fc.constantFrom(1, 1.5, 2, 3), (list, radius) => {
        const edged = data.voidEdges(Uint8Array.from(list), { height: 6, width, radius });
        list.forEach((label, i) => {
          const near = list.some((other, j) => {
            if (other === 255 || other === label) return false;
            return Math.hypot((i % width) - (j % width), Math.floor(i / width) - Math.floor(j / width)) <= radius;
          });
          expect(edged[i]).toBe(near ? 255 : label);
        });
      }),
      { seed: 20, numRuns: 60 },
    );
  });
});
