import { Ints, type Places } from "./places.js";

/** Side, in pixels, of the cells in which segments are looked up. */
const CELL = 8;

/** Marks a segment that a longer one has replaced. */
const GONE = -1;

/**
 * Straight pieces of lines that meet only at their ends, with a grid to find those near a place. A segment is numbered
 * by the place where it begins.
 */
export class Segments {
  readonly #xs: Int32Array;
  readonly #ys: Int32Array;
  /** For each segment, the place where it ends. */
  readonly #ends: Int32Array;
  /** For each segment, the last search that has seen it. */
  readonly #seen: Int32Array;
  #search = 0;
  readonly #columns: number;
  readonly #rows: number;
  /** A linked list per cell: its first entry, and for each entry the segment and the next entry. */
  readonly #cells: Int32Array;
  readonly #entries = new Ints();
  readonly #next = new Ints();

  /**
   * @param places those of all lines, one after the other
   * @param starts the first place of each line, then the number of places
   */
  constructor(places: Places, starts: Int32Array) {
    [this.#xs, this.#ys] = [places.xs.values, places.ys.values];
    let [width, height] = [0, 0];
    for (let i = 0; i < places.length; i++) {
      width = Math.max(width, this.#xs[i]!);
      height = Math.max(height, this.#ys[i]!);
    }
    this.#columns = Math.floor(width / CELL) + 1;
    this.#rows = Math.floor(height / CELL) + 1;
    this.#cells = new Int32Array(this.#columns * this.#rows).fill(-1);
    this.#ends = new Int32Array(places.length).fill(GONE);
    this.#seen = new Int32Array(places.length);
    for (let line = 0; line + 1 < starts.length; line++) {
      for (let i = starts[line]!; i < starts[line + 1]! - 1; i++) this.#put(i, i + 1);
    }
  }

  #put(from: number, to: number): void {
    this.#ends[from] = to;
    this.#forCells(from, to, 0, (cell) => {
      this.#next.push(this.#cells[cell]!);
      this.#cells[cell] = this.#entries.length;
      this.#entries.push(from);
      return false;
    });
  }

  /**
   * Replaces the segments between two places of a line by a straight one, if that neither meets another segment nor
   * passes over one. Returns whether it did. All places between them lie within `distance` of the straight segment.
   */
  straighten(from: number, to: number, distance: number): boolean {
    // A closed line cannot become a single segment.
    if (this.#isSame(from, to)) return false;
    this.#search++;
    if (this.#forCells(from, to, distance + 1e-6, (cell) => this.#blocks(cell, from, to))) return false;
    this.#ends.fill(GONE, from, to);
    this.#put(from, to);
    return true;
  }

  /** Whether a segment in a cell blocks a straight one between two places of a line. */
  #blocks(cell: number, from: number, to: number): boolean {
    for (let entry = this.#cells[cell]!; entry >= 0; entry = this.#next.at(entry)) {
      const segment = this.#entries.at(entry);
      const end = this.#ends[segment]!;
      if (this.#seen[segment] === this.#search || end === GONE || (segment >= from && segment < to)) continue;
      this.#seen[segment] = this.#search;
      if (this.#meet(from, to, segment, end)) return true;
      const [x, y] = [(this.#xs[segment]! + this.#xs[end]!) / 2, (this.#ys[segment]! + this.#ys[end]!) / 2];
      // A segment that meets neither the line nor the straight one lies between them entirely or not at all.
      if (this.#winds(from, to, x, y)) return true;
    }
    return false;
  }

  /** Passes the cells within `distance` of a segment to `use` until it returns true. Returns whether it did. */
  #forCells(from: number, to: number, distance: number, use: (cell: number) => boolean): boolean {
    const isEastward = this.#xs[from]! <= this.#xs[to]!;
    const [a, b] = isEastward ? [from, to] : [to, from];
    const [ax, ay, bx, by] = [this.#xs[a]!, this.#ys[a]!, this.#xs[b]!, this.#ys[b]!];
    const heightAt = (x: number): number => {
      const share = (Math.min(bx, Math.max(ax, x)) - ax) / (bx - ax);
      return ay + share * (by - ay);
    };
    const lastColumn = cellOf(bx + distance, this.#columns);
    for (let column = cellOf(ax - distance, this.#columns); column <= lastColumn; column++) {
      const [y0, y1] =
        ax === bx ? [ay, by] : [heightAt(column * CELL - distance), heightAt((column + 1) * CELL + distance)];
      const last = cellOf(Math.max(y0, y1) + distance, this.#rows);
      for (let row = cellOf(Math.min(y0, y1) - distance, this.#rows); row <= last; row++) {
        if (use(row * this.#columns + column)) return true;
      }
    }
    return false;
  }

  #isSame(a: number, b: number): boolean {
    return this.#xs[a] === this.#xs[b] && this.#ys[a] === this.#ys[b];
  }

  /** Twice the area of the triangle, positive if it turns clockwise with y down. Exact, because places are integers. */
  #turn(a: number, b: number, c: number): number {
    const [ax, ay] = [this.#xs[a]!, this.#ys[a]!];
    return (this.#xs[b]! - ax) * (this.#ys[c]! - ay) - (this.#ys[b]! - ay) * (this.#xs[c]! - ax);
  }

  /** Whether two segments have a place in common other than a shared end. */
  #meet(a: number, b: number, p: number, q: number): boolean {
    const startsAt = this.#isSame(a, p) || this.#isSame(a, q);
    const endsAt = this.#isSame(b, p) || this.#isSame(b, q);
    if (startsAt && endsAt) return true;
    if (startsAt) return this.#overlap(a, b, this.#isSame(a, p) ? q : p);
    if (endsAt) return this.#overlap(b, a, this.#isSame(b, p) ? q : p);
    const [forP, forQ] = [this.#turn(a, b, p), this.#turn(a, b, q)];
    // Both ends lie on the same side.
    if (forP * forQ > 0) return false;
    const [forA, forB] = [this.#turn(p, q, a), this.#turn(p, q, b)];
    if (forP * forQ < 0 && forA * forB < 0) return true;
    return (
      (forP === 0 && this.#isWithin(p, a, b)) ||
      (forQ === 0 && this.#isWithin(q, a, b)) ||
      (forA === 0 && this.#isWithin(a, p, q)) ||
      (forB === 0 && this.#isWithin(b, p, q))
    );
  }

  /** Whether two segments from a common place overlap. */
  #overlap(shared: number, end: number, other: number): boolean {
    const [x, y] = [this.#xs[shared]!, this.#ys[shared]!];
    const along = (this.#xs[end]! - x) * (this.#xs[other]! - x) + (this.#ys[end]! - y) * (this.#ys[other]! - y);
    return along > 0 && this.#turn(shared, end, other) === 0;
  }

  /** Whether a place on the line through two others lies between them. */
  #isWithin(place: number, a: number, b: number): boolean {
    return (
      isBetween(this.#xs[place]!, this.#xs[a]!, this.#xs[b]!) && isBetween(this.#ys[place]!, this.#ys[a]!, this.#ys[b]!)
    );
  }

  /** Whether a line, closed by the straight one between its ends, goes around a place. */
  #winds(from: number, to: number, x: number, y: number): boolean {
    let winding = 0;
    let [ax, ay] = [this.#xs[to]!, this.#ys[to]!];
    for (let i = from; i <= to; i++) {
      const [bx, by] = [this.#xs[i]!, this.#ys[i]!];
      const isDown = ay <= y;
      if (isDown !== by <= y) {
        const side = (bx - ax) * (y - ay) - (by - ay) * (x - ax);
        if (isDown ? side > 0 : side < 0) winding += isDown ? 1 : -1;
      }
      [ax, ay] = [bx, by];
    }
    return winding !== 0;
  }
}

const cellOf = (place: number, count: number): number => Math.min(count - 1, Math.max(0, Math.floor(place / CELL)));

const isBetween = (value: number, a: number, b: number): boolean => Math.min(a, b) <= value && value <= Math.max(a, b);
