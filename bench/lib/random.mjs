/** Seeded uniform numbers, so that every side and every run sees the same data. */

/** A generator of uint32 (xorshift32). The seed must not be zero. */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}

/** `length` numbers, uniform in [low, high). */
export function uniform(next, length, low = -1, high = 1) {
  const data = new Float32Array(length);
  for (let i = 0; i < length; i++) data[i] = low + ((high - low) * (next() >>> 8)) / 0x1000000;
  return data;
}

/** `length` integers, uniform in 0..bound-1. */
export function integers(next, length, bound) {
  const data = new Int32Array(length);
  for (let i = 0; i < length; i++) data[i] = next() % bound;
  return data;
}
