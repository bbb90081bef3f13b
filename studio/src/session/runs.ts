/** Runs of pixels in the rows of a raster. Those of a row that touch become one, so that few are painted. */
export class Runs {
  readonly #height: number;
  readonly #width: number;
  /** The last run of each row; it is empty where both are equal. */
  readonly #from: Int32Array;
  readonly #to: Int32Array;
  /** Earlier runs that the last one of their row does not touch: index of the first pixel, and after the last. */
  #apart: number[] = [];

  constructor(height: number, width: number) {
    this.#height = height;
    this.#width = width;
    this.#from = new Int32Array(height);
    this.#to = new Int32Array(height);
  }

  /** Adds the pixels of a row from one column until before another; those outside the raster are left out. */
  add(row: number, from: number, to: number): void {
    if (!(row >= 0 && row < this.#height)) return;
    const first = Math.max(0, from);
    const end = Math.min(this.#width, to);
    if (!(first < end)) return;
    const lastFirst = this.#from[row] as number;
    const lastEnd = this.#to[row] as number;
    if (lastFirst === lastEnd || (first <= lastEnd && end >= lastFirst)) {
      this.#from[row] = lastFirst === lastEnd ? first : Math.min(first, lastFirst);
      this.#to[row] = Math.max(end, lastEnd);
      return;
    }
    this.#apart.push(row * this.#width + lastFirst, row * this.#width + lastEnd);
    this.#from[row] = first;
    this.#to[row] = end;
  }

  /** Passes each run to `use`, by the index of its first pixel and of the one after its last, and forgets it. */
  take(use: (from: number, to: number) => void): void {
    for (let i = 0; i < this.#apart.length; i += 2) use(this.#apart[i] as number, this.#apart[i + 1] as number);
    for (let row = 0; row < this.#height; row++) {
      const [from, to] = [this.#from[row] as number, this.#to[row] as number];
      if (from < to) use(row * this.#width + from, row * this.#width + to);
    }
    this.#apart = [];
    this.#from.fill(0);
    this.#to.fill(0);
  }
}
