import fc from "fast-check";

/** Seed of the property tests: FC_SEED, or one fixed value so that two runs of a tree agree. */
export function propertySeed(): number {
  const text = process.env.FC_SEED;
  if (text === undefined || text === "") return 20150607;
  const seed = Number(text);
  if (!Number.isInteger(seed)) throw new Error(`FC_SEED is "${text}"; pass a whole number`);
  return seed;
}

/** Runs an asynchronous property over `numRuns` inputs; a failure names the seed that repeats it. */
export async function assertProperty<T>(
  inputs: fc.Arbitrary<T>,
  numRuns: number,
  check: (input: T) => Promise<void>,
): Promise<void> {
  const seed = propertySeed();
  try {
    await fc.assert(fc.asyncProperty(inputs, check), { seed, numRuns });
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\nRepeat with FC_SEED=${seed}`, { cause });
  }
}
