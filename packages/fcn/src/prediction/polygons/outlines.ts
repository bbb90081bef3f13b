import { Ints, Places } from "./places.js";
import type { LabelMap, Regions } from "./regions.js";

/** The edges of all regions as rings of vertices. Those of ring `i` lie from `starts[i]` to `starts[i + 1]`. */
export interface Outlines {
  /** The places where a ring turns, and its joints. */
  readonly vertices: Places;
  /** For each vertex: {@link CORNER}, {@link JOINT}, or both. */
  readonly kinds: Int32Array;
  readonly starts: Int32Array;
  /** The region of each ring. A region's outline comes before its holes. */
  readonly owners: Int32Array;
  /** Places per row of the map. */
  readonly columns: number;
}

/** A ring turns here. */
export const CORNER = 1;
/** Three regions meet here (the outside counts as one), or this is a corner of the map. */
export const JOINT = 2;

const OUTSIDE = -1;

/** Follows the edges of all regions with the region on the right. */
export function traceOutlines(ids: Regions["ids"], { height, width }: LabelMap): Outlines {
  const vertices = new Places();
  const [kinds, starts, owners] = [new Ints(), new Ints(), new Ints()];
  const regionAt = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= width || y >= height ? OUTSIDE : ids[y * width + x]!;
  // Every ring runs east along the upper edge of some pixel of its region. A region's outline is met before its holes.
  const traced = new Uint8Array(ids.length);

  const trace = (region: number, startX: number, startY: number): void => {
    let [x, y, heading] = [startX, startY, 0];
    do {
      if (heading === 0) traced[y * width + x++] = 1;
      else if (heading === 1) y++;
      else if (heading === 2) x--;
      else y--;
      const [northEast, southEast] = [regionAt(x, y - 1), regionAt(x, y)];
      const [southWest, northWest] = [regionAt(x - 1, y), regionAt(x - 1, y - 1)];
      const left = heading === 0 ? northEast : heading === 1 ? southEast : heading === 2 ? southWest : northWest;
      const right = heading === 0 ? southEast : heading === 1 ? southWest : heading === 2 ? northWest : northEast;
      // Turns left wherever the region continues, even across a corner, so that no ring meets itself.
      const turn = left === region ? 3 : right === region ? 0 : 1;
      const isJoint = meetsThree(northEast, southEast, southWest, northWest);
      if (turn !== 0 || isJoint) {
        vertices.push(x, y);
        kinds.push((turn === 0 ? 0 : CORNER) | (isJoint ? JOINT : 0));
      }
      heading = (heading + turn) % 4;
    } while (x !== startX || y !== startY || heading !== 0);
  };

  for (let i = 0; i < ids.length; i++) {
    const region = ids[i]!;
    if (traced[i] === 1 || (i >= width && ids[i - width] === region)) continue;
    starts.push(vertices.length);
    owners.push(region);
    trace(region, i % width, Math.floor(i / width));
  }
  starts.push(vertices.length);
  return { vertices, kinds: kinds.values, starts: starts.values, owners: owners.values, columns: width + 1 };
}

/** Whether more than two of the four pixels around a place differ, or the place is a corner of the map. */
function meetsThree(a: number, b: number, c: number, d: number): boolean {
  const second = b !== a ? 1 : 0;
  const third = c !== a && c !== b ? 1 : 0;
  const fourth = d !== a && d !== b && d !== c ? 1 : 0;
  if (second + third + fourth > 1) return true;
  // At a corner of the map, only one pixel is inside.
  return second + third + fourth === 1 && a + b + c + d === Math.max(a, b, c, d) + 3 * OUTSIDE;
}
