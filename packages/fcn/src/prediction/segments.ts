import type { Position } from "./polygons.js";

/** Pixels along a side of the cells in which segments are looked up. */
const CELL = 8;

/** Straight pieces of lines that meet in their ends alone, and a grid to find those near a place. */
export class Segments {
  readonly #ends: (readonly [Position, Position])[] = [];
  readonly #isGone: boolean[] = [];
  /** The search that has seen a segment last. */
  readonly #seen: number[] = [];
  #search = 0;
  readonly #cells: number[][];
  readonly #columns: number;
  readonly #rows: number;

  /** @param places all places that segments may end at */
  constructor(places: readonly Position[]) {
    let [width, height] = [0, 0];
    for (const [x, y] of places) [width, height] = [Math.max(width, x), Math.max(height, y)];
    this.#columns = Math.floor(width / CELL) + 1;
    this.#rows = Math.floor(height / CELL) + 1;
    this.#cells = Array.from({ length: this.#columns * this.#rows }, () => []);
  }

  /** Answers the number of the segment; they count up. */
  add(a: Position, b: Position): number {
    const id = this.#ends.push([a, b]) - 1;
    this.#isGone.push(false);
    this.#seen.push(0);
    this.#forCells(a, b, 0, (cell) => {
      cell.push(id);
      return false;
    });
    return id;
  }

  /**
   * Replaces the segments of a chain, numbered from `first` on, by the straight one between its ends, where that neither meets another segment nor
   * passes over one; answers whether it did. All of the chain lies within `distance` of the straight segment.
   */
  straighten(chain: readonly Position[], first: number, distance: number): boolean {
    const [a, b] = [chain[0]!, chain.at(-1)!];
    // A closed line cannot become a single segment.
    if (isSame(a, b)) return false;
    const end = first + chain.length - 1;
    const search = ++this.#search;
    const isBlocked = this.#forCells(a, b, distance + 1e-6, (cell) => {
      for (const id of cell) {
        if (this.#seen[id] === search || this.#isGone[id] || (id >= first && id < end)) continue;
        this.#seen[id] = search;
        const [p, q] = this.#ends[id]!;
        // What does not meet the chain nor the segment lies between them as a whole or not at all.
        if (meet(a, b, p, q) || winds(chain, (p[0] + q[0]) / 2, (p[1] + q[1]) / 2)) return true;
      }
      return false;
    });
    if (isBlocked) return false;
    for (let id = first; id < end; id++) this.#isGone[id] = true;
    this.add(a, b);
    return true;
  }

  /** Hands over the cells within `distance` of a segment until `use` answers true; answers whether it did. */
  #forCells(from: Position, to: Position, distance: number, use: (cell: number[]) => boolean): boolean {
    const [[ax, ay], [bx, by]] = from[0] <= to[0] ? [from, to] : [to, from];
    const heightAt = (x: number): number => {
      const share = (Math.min(bx, Math.max(ax, x)) - ax) / (bx - ax);
      return ay + share * (by - ay);
    };
    for (let column = cellOf(ax - distance, this.#columns); column <= cellOf(bx + distance, this.#columns); column++) {
      const [y0, y1] =
        ax === bx ? [ay, by] : [heightAt(column * CELL - distance), heightAt((column + 1) * CELL + distance)];
      const last = cellOf(Math.max(y0, y1) + distance, this.#rows);
      for (let row = cellOf(Math.min(y0, y1) - distance, this.#rows); row <= last; row++) {
        if (use(this.#cells[row * this.#columns + column]!)) return true;
      }
    }
    return false;
  }
}

const cellOf = (place: number, count: number): number => Math.min(count - 1, Math.max(0, Math.floor(place / CELL)));

const isSame = (a: Position, b: Position): boolean => a[0] === b[0] && a[1] === b[1];

/** Twice the area of the triangle, positive where it turns clockwise with y down. Places are whole numbers, so it is exact. */
const turn = (a: Position, b: Position, c: Position): number =>
  (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);

/** Whether two segments have a place in common, other than one end of both. */
function meet(a: Position, b: Position, p: Position, q: Position): boolean {
  const [startsAt, endsAt] = [isSame(a, p) || isSame(a, q), isSame(b, p) || isSame(b, q)];
  if (startsAt && endsAt) return true;
  if (startsAt || endsAt) {
    const [shared, end] = startsAt ? [a, b] : [b, a];
    const other = isSame(shared, p) ? q : p;
    const along = (end[0] - shared[0]) * (other[0] - shared[0]) + (end[1] - shared[1]) * (other[1] - shared[1]);
    return turn(shared, end, other) === 0 && along > 0;
  }
  const [forP, forQ, forA, forB] = [turn(a, b, p), turn(a, b, q), turn(p, q, a), turn(p, q, b)];
  if (forP * forQ < 0 && forA * forB < 0) return true;
  const isOn = (area: number, place: Position, from: Position, to: Position): boolean =>
    area === 0 && isBetween(place[0], from[0], to[0]) && isBetween(place[1], from[1], to[1]);
  return isOn(forP, p, a, b) || isOn(forQ, q, a, b) || isOn(forA, a, p, q) || isOn(forB, b, p, q);
}

const isBetween = (value: number, a: number, b: number): boolean => Math.min(a, b) <= value && value <= Math.max(a, b);

/** Whether a chain, closed by the straight line between its ends, goes around a place. */
function winds(chain: readonly Position[], x: number, y: number): boolean {
  let winding = 0;
  let from = chain.at(-1) as Position;
  for (const to of chain) {
    const isDown = from[1] <= y;
    if (isDown !== to[1] <= y) {
      const side = turn(from, to, [x, y]);
      if (isDown ? side > 0 : side < 0) winding += isDown ? 1 : -1;
    }
    from = to;
  }
  return winding !== 0;
}
