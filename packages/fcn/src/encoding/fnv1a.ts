/** The 32-bit hash of Fowler, Noll and Vo (FNV-1a) over bytes or other small numbers. */
export function fnv1a(values: Iterable<number>): number {
  let hash = 0x811c9dc5;
  for (const value of values) hash = Math.imul(hash ^ value, 0x01000193);
  return hash >>> 0;
}
