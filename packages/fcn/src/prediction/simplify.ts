import type { Arc } from "./arcs.js";
import type { Position } from "./polygons.js";
import { Segments } from "./segments.js";

/**
 * Leaves out places of lines that lie within `tolerance` of the line that remains (Douglas and Peucker 1973); their ends stay. A stretch is made
 * straight only where that meets no other line and passes over none: so lines keep their sides of each other, and rings stay rings.
 */
export function simplifyArcs(arcs: readonly Arc[], tolerance: number): Arc[] {
  const segments = new Segments(arcs.flat());
  const firsts = arcs.map((arc) => {
    const [first = 0] = arc.slice(1).map((place, i) => segments.add(arc[i]!, place));
    return first;
  });
  return arcs.map((arc, i) => simplifyArc(arc, firsts[i]!, tolerance, segments));
}

/** @param first the number of the arc's first segment; those of the others follow */
function simplifyArc(arc: Arc, first: number, tolerance: number, segments: Segments): Arc {
  const keep = new Uint8Array(arc.length);
  keep[0] = keep[arc.length - 1] = 1;
  const open: [number, number][] = [[0, arc.length - 1]];
  for (let part = open.pop(); part; part = open.pop()) {
    const [from, to] = part;
    if (to - from === 1) continue;
    const { at, distance } = furthestOf(arc, from, to);
    if (distance <= tolerance && segments.straighten(arc.slice(from, to + 1), first + from, distance)) continue;
    keep[at] = 1;
    open.push([at, to], [from, at]);
  }
  return arc.filter((_, i) => keep[i] === 1);
}

/** The place between two others that lies furthest from the line between them. */
function furthestOf(arc: Arc, from: number, to: number): { readonly at: number; readonly distance: number } {
  let best = { at: from + 1, distance: -1 };
  for (let at = from + 1; at < to; at++) {
    const distance = distanceTo(arc[at]!, arc[from]!, arc[to]!);
    if (distance > best.distance) best = { at, distance };
  }
  return best;
}

/** Distance to a segment. */
function distanceTo([x, y]: Position, [ax, ay]: Position, [bx, by]: Position): number {
  const [dx, dy] = [bx - ax, by - ay];
  const squared = dx * dx + dy * dy;
  const along = squared === 0 ? 0 : ((x - ax) * dx + (y - ay) * dy) / squared;
  const share = Math.min(1, Math.max(0, along));
  return Math.hypot(x - ax - share * dx, y - ay - share * dy);
}
