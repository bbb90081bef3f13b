import type { Arcs } from "./arcs.js";
import type { Places } from "./places.js";
import { Segments } from "./segments.js";

/**
 * Drops places of lines that lie within `tolerance` of the remaining line (Douglas and Peucker 1973); ends stay. A
 * stretch is straightened only if it then neither meets nor passes over another line, so that lines stay on the same
 * side of each other and rings stay rings. Returns 1 for each place that stays.
 */
export function simplifyArcs({ places, starts }: Arcs, tolerance: number): Uint8Array {
  const keep = new Uint8Array(places.length);
  const segments = new Segments(places, starts);
  const open: number[] = [];
  for (let arc = 0; arc + 1 < starts.length; arc++) {
    const [first, last] = [starts[arc]!, starts[arc + 1]! - 1];
    keep[first] = keep[last] = 1;
    open.push(first, last);
    while (open.length > 0) {
      const [to, from] = [open.pop()!, open.pop()!];
      if (to - from === 1) continue;
      const { at, distance } = furthestOf(places, from, to);
      if (distance <= tolerance && segments.straighten(from, to, distance)) continue;
      keep[at] = 1;
      open.push(at, to, from, at);
    }
  }
  return keep;
}

/** The place between two others that is furthest from the line between them. */
function furthestOf({ xs, ys }: Places, from: number, to: number): { readonly at: number; readonly distance: number } {
  const [ax, ay] = [xs.at(from), ys.at(from)];
  const [dx, dy] = [xs.at(to) - ax, ys.at(to) - ay];
  const squared = dx * dx + dy * dy;
  let [at, distance] = [from + 1, -1];
  for (let i = from + 1; i < to; i++) {
    const [x, y] = [xs.at(i) - ax, ys.at(i) - ay];
    const along = squared === 0 ? 0 : (x * dx + y * dy) / squared;
    const share = Math.min(1, Math.max(0, along));
    const found = Math.hypot(x - share * dx, y - share * dy);
    if (found > distance) [at, distance] = [i, found];
  }
  return { at, distance };
}
