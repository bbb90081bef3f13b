/** A seeded source of uniform numbers in [0, 1), with the same sequence on every machine. */
export type RandomSource = () => number;

/** Marsaglia's xorshift32. A Weyl step spreads `seed`, so that the sequences of neighbouring seeds differ at once. */
export function createRandom(seed: number): RandomSource {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0 || 0x6d2b79f5;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 0x1_0000_0000;
  };
  for (let i = 0; i < 8; i++) next();
  return next;
}

/** A random permutation of the numbers 0 to `count` - 1 (Fisher-Yates). */
export function shuffledIndices(count: number, random: RandomSource): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}

/** Combines numbers such as a seed, an epoch and a sample index into one 32-bit seed (MurmurHash3). */
export function hashSeeds(...values: readonly number[]): number {
  let hash = 0;
  for (const value of values) {
    let k = Math.imul(value, 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    hash ^= k;
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64;
  }
  hash ^= values.length * 4;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
