import type { Position } from "./polygons.js";

/** A place on an outline that is a corner of it, or a joint: three regions meet there, of which one may be what lies outside, or it is a corner of the map. */
export interface Vertex {
  readonly position: Position;
  readonly isCorner: boolean;
  readonly isJoint: boolean;
}

/** A line between two joints, or a whole ring without any: then its last place is its first one again. Two regions share it. */
export type Arc = readonly Position[];

/** A ring as the arcs that it follows, one after the other. */
export type ArcRing = readonly { readonly arc: number; readonly isReversed: boolean }[];

/** Cuts rings at their joints. The two rings that follow one line, in opposite directions, get the same arc. */
export function cutAtJoints(rings: readonly (readonly Vertex[])[]): {
  readonly arcs: Arc[];
  readonly rings: ArcRing[];
} {
  const arcs: Arc[] = [];
  const known = new Map<number, ArcRing[number]>();
  const use = (line: Arc): ArcRing[number] => {
    const [forwards, backwards] = [departure(line[0]!, line[1]!), departure(line.at(-1)!, line.at(-2)!)];
    const found = known.get(forwards);
    if (found) return found;
    const arc = arcs.push(line) - 1;
    known.set(backwards, { arc, isReversed: true });
    known.set(forwards, { arc, isReversed: false });
    return { arc, isReversed: false };
  };
  return { rings: rings.map((ring) => linesOf(ring).map(use)), arcs };
}

/** The places of a ring, the last not repeated, from the places of its arcs. */
export function joinArcs(ring: ArcRing, arcs: readonly Arc[]): Position[] {
  const places = ring.flatMap(({ arc, isReversed }) => {
    const line = arcs[arc] as Arc;
    return isReversed ? line.slice(1).reverse() : line.slice(0, -1);
  });
  return withoutStraights(places);
}

/** The lines of a ring from joint to joint. One without joints starts at its first place in the order of x and y, as its other side does. */
function linesOf(ring: readonly Vertex[]): Arc[] {
  const start = startOf(ring);
  const turned = [...ring.slice(start), ...ring.slice(0, start + 1)];
  const lines: Position[][] = [];
  let line = [turned[0]!.position];
  for (const [i, { position, isJoint }] of turned.entries()) {
    if (i === 0) continue;
    line.push(position);
    if (!isJoint && i < turned.length - 1) continue;
    lines.push(line);
    line = [position];
  }
  return lines;
}

function startOf(ring: readonly Vertex[]): number {
  const joint = ring.findIndex(({ isJoint }) => isJoint);
  if (joint >= 0) return joint;
  let first = 0;
  for (const [i, { position }] of ring.entries()) {
    const [x, y] = ring[first]!.position;
    if (position[0] < x || (position[0] === x && position[1] < y)) first = i;
  }
  return first;
}

/** A number for a place and the heading to the next place, level or upright. */
function departure([x, y]: Position, [nextX, nextY]: Position): number {
  const heading = nextY === y ? (nextX > x ? 0 : 2) : nextY > y ? 1 : 3;
  return (y * 2 ** 24 + x) * 4 + heading;
}

/** The places at which a ring turns. */
function withoutStraights(ring: readonly Position[]): Position[] {
  return ring.filter(([x, y], i) => {
    const [ax, ay] = ring.at(i - 1) as Position;
    const [bx, by] = ring[(i + 1) % ring.length] as Position;
    return (x - ax) * (by - y) !== (y - ay) * (bx - x);
  });
}
