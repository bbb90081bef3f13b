import { JOINT, type Outlines } from "./outlines.js";
import { Ints, Places } from "./places.js";

/**
 * Lines between two joints, or whole rings without joints, whose last place equals the first. Each is shared by two
 * regions, except along the border of the map. The places of arc `i` lie from `starts[i]` to `starts[i + 1]`.
 */
export interface Arcs {
  readonly places: Places;
  readonly starts: Int32Array;
  /** The arcs that each ring follows, in order; `~i` is arc `i` from its end to its start. */
  readonly steps: Int32Array;
  /** The steps of ring `i` lie from `ringStarts[i]` to `ringStarts[i + 1]`. */
  readonly ringStarts: Int32Array;
}

/** Cuts rings at their joints. The two rings that follow one line, in opposite directions, get the same arc. */
export function cutAtJoints({ vertices, kinds, starts: rings, columns }: Outlines): Arcs {
  const { xs, ys } = vertices;
  const places = new Places();
  const [starts, steps, ringStarts] = [new Ints(), new Ints(), new Ints()];
  // Arcs followed so far by only one of their rings, keyed by where the other one departs. Large numbers are slow keys.
  const open = new Map<number, number>();
  const departure = (from: number, to: number): number => {
    const [x, y] = [xs.at(from), ys.at(from)];
    const heading = ys.at(to) === y ? (xs.at(to) > x ? 0 : 2) : ys.at(to) > y ? 1 : 3;
    return (y * columns + x) * 4 + heading;
  };
  for (let ring = 0; ring + 1 < rings.length; ring++) {
    const [begin, end] = [rings[ring]!, rings[ring + 1]!];
    const count = end - begin;
    const start = startOf(vertices, kinds, begin, end) - begin;
    const at = (i: number): number => begin + ((start + i) % count);
    ringStarts.push(steps.length);
    for (let from = 0, to = 1; from < count; from = to++) {
      while (to < count && (kinds[at(to)]! & JOINT) === 0) to++;
      const key = departure(at(from), at(from + 1));
      const shared = open.get(key);
      if (shared !== undefined) {
        open.delete(key);
        steps.push(~shared);
        continue;
      }
      const arc = starts.length;
      open.set(departure(at(to), at(to - 1)), arc);
      steps.push(arc);
      starts.push(places.length);
      for (let i = from; i <= to; i++) places.push(xs.at(at(i)), ys.at(at(i)));
    }
  }
  starts.push(places.length);
  ringStarts.push(steps.length);
  return { places, starts: starts.values, steps: steps.values, ringStarts: ringStarts.values };
}

/** A joint of a ring. For a ring without joints, its first place in the order of x and y, so that both sides agree. */
function startOf({ xs, ys }: Places, kinds: Int32Array, begin: number, end: number): number {
  let first = begin;
  for (let i = begin; i < end; i++) {
    if (kinds[i]! & JOINT) return i;
    if (xs.at(i) < xs.at(first) || (xs.at(i) === xs.at(first) && ys.at(i) < ys.at(first))) first = i;
  }
  return first;
}

/**
 * Joins a ring from those places of its arcs that `keep` marks. Does not repeat the first place at the end.
 *
 * @param into is emptied first
 */
export function joinArcs(
  { places, starts, steps, ringStarts }: Arcs,
  ring: number,
  keep: Uint8Array,
  into: Places,
): void {
  into.clear();
  const put = (i: number): void => {
    if (keep[i] === 1) into.push(places.xs.at(i), places.ys.at(i));
  };
  for (let k = ringStarts[ring]!; k < ringStarts[ring + 1]!; k++) {
    const step = steps[k]!;
    const arc = step < 0 ? ~step : step;
    const [from, to] = [starts[arc]!, starts[arc + 1]! - 1];
    // The next arc begins with this one's last place.
    if (step < 0) for (let i = to; i > from; i--) put(i);
    else for (let i = from; i < to; i++) put(i);
  }
}
