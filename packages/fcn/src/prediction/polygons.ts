import { cutAtJoints, joinArcs, type Vertex } from "./arcs.js";
import { findRegions, type LabelMap } from "./regions.js";
import { simplifyArcs } from "./simplify.js";

/** A place in pixels: the first pixel reaches from 0 to 1 in x (right) and y (down). */
export type Position = readonly [x: number, y: number];

/** A closed line: the last position is the first one again. */
export type Ring = readonly Position[];

/** A connected region of one label. */
export interface LabelPolygon {
  readonly label: number;
  /** Pixels. */
  readonly area: number;
  /** The outline, then the holes. */
  readonly rings: readonly Ring[];
}

export interface PolygonOptions {
  /**
   * Pixels that outlines may move by (Douglas and Peucker 1973); places where three regions meet stay, and neighbours keep their common line. Lines
   * move less where they would meet or pass others: polygons cover every place exactly once at any tolerance. Default 0: along the edges of the
   * pixels, exactly.
   */
  readonly tolerance?: number;
}

/** Headings east, south, west, north. */
const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;
/** The pixel ahead on the left of a place, by heading, from the pixel below on the right of the place; that on the right is the next one's. */
const AHEAD_LEFT = [
  [0, -1],
  [0, 0],
  [-1, 0],
  [-1, -1],
] as const;

/**
 * The regions of a label map as polygons, in the order in which the rows meet them. Pixels that touch along an edge belong together. Outlines
 * have their region on the right: in numbers, x times y, an outline turns counterclockwise and a hole clockwise, as RFC 7946 has it. Rings do
 * not cross or touch themselves; a hole may touch the outline in single places.
 */
export function tracePolygons(map: LabelMap, { tolerance = 0 }: PolygonOptions = {}): LabelPolygon[] {
  const { height, width } = map;
  const { ids, labels, areas } = findRegions(map);
  const regionAt = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= width || y >= height ? -1 : ids[y * width + x]!;
  const rings: Vertex[][] = [];
  const owners: number[] = [];
  // Every ring heads east somewhere, along the upper edge of a pixel of its region; the outline of a region is met first.
  const traced = new Uint8Array(ids.length);
  for (let i = 0; i < ids.length; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    const region = ids[i]!;
    if (traced[i] === 1 || regionAt(x, y - 1) === region) continue;
    const vertices = traceRing(region, [x, y], regionAt, (ex, ey) => {
      traced[ey * width + ex] = 1;
    });
    rings.push(vertices);
    owners.push(region);
  }
  const found: Ring[][] = labels.map(() => []);
  for (const [i, places] of placesOf(rings, tolerance).entries()) {
    found[owners[i]!]!.push([...places, places[0] as Position]);
  }
  return found.map((own, region) => ({ label: labels[region]!, area: areas[region]!, rings: own }));
}

/** The places of each ring. */
function placesOf(rings: readonly Vertex[][], tolerance: number): Position[][] {
  if (tolerance === 0) {
    return rings.map((ring) => ring.filter(({ isCorner }) => isCorner).map(({ position }) => position));
  }
  const cut = cutAtJoints(rings);
  const arcs = simplifyArcs(cut.arcs, tolerance);
  return cut.rings.map((ring) => joinArcs(ring, arcs));
}

/** Follows the edge of a region from the upper left of one of its pixels, the region on the right. */
function traceRing(
  region: number,
  start: Position,
  regionAt: (x: number, y: number) => number,
  headsEast: (x: number, y: number) => void,
): Vertex[] {
  const vertices: Vertex[] = [];
  let [x, y] = start;
  let heading = 0;
  do {
    if (heading === 0) headsEast(x, y);
    x += STEPS[heading]![0];
    y += STEPS[heading]![1];
    const around = [0, 1, 2, 3].map((quarter) => {
      const [dx, dy] = AHEAD_LEFT[(heading + quarter) % 4]!;
      return regionAt(x + dx, y + dy);
    });
    // Left where the region goes on there, even across a corner: then no ring meets itself.
    const turn = around[0] === region ? 3 : around[1] === region ? 0 : 1;
    const isJoint = meetsThree(around);
    if (turn !== 0 || isJoint) vertices.push({ position: [x, y], isCorner: turn !== 0, isJoint });
    heading = (heading + turn) % 4;
  } while (x !== start[0] || y !== start[1] || heading !== 0);
  return vertices;
}

/** Whether more than two of the four pixels around a place differ, or the place is a corner of the map. */
function meetsThree(around: readonly number[]): boolean {
  const kinds = around.filter((id, i) => around.indexOf(id) === i).length;
  return kinds > 2 || around.filter((id) => id === -1).length === 3;
}
