/**
 * Seeded numbers for mutations: the same seed makes the same inputs on every machine (xorshift32 after a hash of the
 * seed).
 */
export class Random {
  #state: number;

  constructor(seed: number | string) {
    let state = 0x9e3779b9;
    for (const letter of String(seed)) state = Math.imul(state ^ letter.charCodeAt(0), 0x01000193) >>> 0;
    this.#state = state || 1;
    for (let i = 0; i < 8; i++) this.next();
  }

  /** A whole number from 0 to 2^32 - 1. */
  next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state;
  }

  /** A whole number from 0 to `count` - 1; 0 where `count` is 0. */
  below(count: number): number {
    return count > 0 ? this.next() % count : 0;
  }

  chance(share: number): boolean {
    return this.next() < share * 2 ** 32;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}
