import { systematic } from "./mutate/bytes.js";
import { mutate } from "./mutate/index.js";
import { judgeError } from "./oracle.js";
import { Random } from "./random.js";
import type { OpenTarget, Seed } from "./target.js";

/** Bytes for a target, and the place of the seed that they came from. */
export interface Input {
  readonly bytes: Uint8Array;
  readonly seed: number;
}

/** Part of the runs that goes through the cuts and numbers at each place. */
const SYSTEMATIC = 0.3;

/**
 * Input number `index` of a run of `total`: the systematic ones first, then changes of seeds and of what was kept. It
 * is the same for the same name of the run, seeds and kept inputs.
 */
export function makeInput(
  run: string,
  index: number,
  total: number,
  seeds: readonly Seed[],
  kept: readonly Input[],
): Input {
  const sizes = seeds.map(({ bytes }) => bytes.length * 19);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const planned = Math.floor(Math.min(all, total * SYSTEMATIC));
  const r = new Random(`${run}/${index}`);
  if (index < planned) {
    let place = Math.floor((index * all) / planned);
    const seed = sizes.findIndex((size) => {
      if (place < size) return true;
      place -= size;
      return false;
    });
    const bytes = systematic((seeds[seed] as Seed).bytes, place);
    if (bytes !== undefined) return { bytes, seed };
  }
  const base = kept.length > 0 && r.chance(0.6) ? r.pick(kept) : undefined;
  const seed = base?.seed ?? r.below(seeds.length);
  const { kind, bytes } = seeds[seed] as Seed;
  const others = kept.length > 0 && r.chance(0.5) ? r.pick(kept).bytes : r.pick(seeds).bytes;
  return { bytes: mutate(base?.bytes ?? bytes, kind, r, others), seed };
}

/** What a target makes of an input: an outcome, or a Finding that is thrown. */
export async function judge(open: OpenTarget, { bytes, seed }: Input): Promise<string> {
  try {
    return await open.run(bytes.slice(), seed);
  } catch (error) {
    return judgeError(error, open.names, bytes);
  }
}
