type Position = readonly [x: number, y: number];

interface Vertex {
  readonly position: Position;
  readonly isJoint: boolean;
}

/**
 * Leaves out places of a ring (without its last, repeated one) that lie within `tolerance` of the line that remains (Douglas and Peucker 1973).
 * Joints stay; a ring without joints starts at its first place in the order of x and y. So a line that two rings share, in either direction,
 * becomes the same in both.
 */
export function simplifyRing(vertices: readonly Vertex[], tolerance: number): Position[] {
  const start = startOf(vertices);
  const turned = [...vertices.slice(start), ...vertices.slice(0, start + 1)];
  const kept: Position[] = [];
  let from = 0;
  for (let i = 1; i < turned.length; i++) {
    if (!turned[i]!.isJoint && i < turned.length - 1) continue;
    const chain = turned.slice(from, i + 1).map(({ position }) => position);
    kept.push(...simplifyChain(chain, tolerance).slice(0, -1));
    from = i;
  }
  return withoutStraights(kept);
}

function startOf(vertices: readonly Vertex[]): number {
  const joint = vertices.findIndex(({ isJoint }) => isJoint);
  if (joint >= 0) return joint;
  let first = 0;
  for (const [i, { position }] of vertices.entries()) {
    if (comesBefore(position, vertices[first]!.position)) first = i;
  }
  return first;
}

const comesBefore = (a: Position, b: Position): boolean => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);

/** Both ends stay. */
function simplifyChain(chain: readonly Position[], tolerance: number): Position[] {
  const keep = new Uint8Array(chain.length);
  keep[0] = keep[chain.length - 1] = 1;
  const open: [number, number][] = [[0, chain.length - 1]];
  for (let part = open.pop(); part; part = open.pop()) {
    const [from, to] = part;
    const furthest = furthestOf(chain, from, to);
    if (!furthest || furthest.distance <= tolerance) continue;
    keep[furthest.at] = 1;
    open.push([from, furthest.at], [furthest.at, to]);
  }
  return chain.filter((_, i) => keep[i] === 1);
}

/** The place between two others that lies furthest from the line between them; among equals the first in the order of x and y. */
function furthestOf(
  chain: readonly Position[],
  from: number,
  to: number,
): { readonly at: number; readonly distance: number } | undefined {
  let best: { at: number; distance: number } | undefined;
  for (let at = from + 1; at < to; at++) {
    const distance = distanceTo(chain[at]!, chain[from]!, chain[to]!);
    const isBetter = !best || distance > best.distance;
    if (isBetter || (distance === best?.distance && comesBefore(chain[at]!, chain[best.at]!))) best = { at, distance };
  }
  return best;
}

/** Distance to a segment; the order of its ends does not change a bit of it. */
function distanceTo(p: Position, a: Position, b: Position): number {
  const [from, to] = comesBefore(a, b) ? [a, b] : [b, a];
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const squared = dx * dx + dy * dy;
  const along = squared === 0 ? 0 : ((p[0] - from[0]) * dx + (p[1] - from[1]) * dy) / squared;
  const share = Math.min(1, Math.max(0, along));
  return Math.hypot(p[0] - from[0] - share * dx, p[1] - from[1] - share * dy);
}

/** The places at which a ring turns. */
function withoutStraights(ring: readonly Position[]): Position[] {
  return ring.filter(([x, y], i) => {
    const [ax, ay] = ring.at(i - 1) as Position;
    const [bx, by] = ring[(i + 1) % ring.length] as Position;
    return (x - ax) * (by - y) !== (y - ay) * (bx - x);
  });
}
