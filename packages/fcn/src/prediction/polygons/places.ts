/**
 * A growing list of 32-bit integers. With millions of places as arrays of two numbers, garbage collection would take
 * longer than everything else.
 */
export class Ints {
  #values = new Int32Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** All numbers. Valid until the next one is pushed. */
  get values(): Int32Array {
    return this.#values.subarray(0, this.#length);
  }

  at(index: number): number {
    return this.#values[index]!;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Int32Array(this.#length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  clear(): void {
    this.#length = 0;
  }
}

/** A growing list of places. */
export class Places {
  readonly xs = new Ints();
  readonly ys = new Ints();

  get length(): number {
    return this.xs.length;
  }

  push(x: number, y: number): void {
    this.xs.push(x);
    this.ys.push(y);
  }

  clear(): void {
    this.xs.clear();
    this.ys.clear();
  }
}
