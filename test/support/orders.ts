import fc from "fast-check";

/** A storage order for a shape of `rank` dimensions. */
export const orderOf = (rank: number): fc.Arbitrary<number[]> =>
  fc.shuffledSubarray(
    Array.from({ length: rank }, (_, i) => i),
    { minLength: rank, maxLength: rank },
  );
