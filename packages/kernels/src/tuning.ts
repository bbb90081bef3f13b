/** How the work of a kernel is cut: what may be chosen without changing what is computed, but for the order of sums. */
export interface Tile {
  /** The kernel: lanes of a subgroup share their loads, or every thread loads for itself. */
  readonly variant: "subgroup" | "register";
  /** Pixels (rows of the weight, outputs of a row) that a team or a thread owns. */
  readonly TM: number;
  /** Lanes of a team; 1 without subgroups. */
  readonly SGN: number;
  /** vec4 columns that a lane owns. */
  readonly TV: number;
}

/** Tiles by what they are for. Plain data, to be kept in a file. */
export type Tuning = Readonly<Record<string, Tile>>;

/** A choice that a plan had. */
export interface Tunable {
  /** What the tile is for: kernel sizes, channels, and the size of the work to a factor of two. */
  readonly key: string;
  /** What the plan took. */
  readonly tile: Tile;
  /** What it may take; the first is what the rules choose. */
  readonly candidates: readonly Tile[];
}

const same = (a: Tile, b: Tile): boolean =>
  a.variant === b.variant && a.TM === b.TM && a.SGN === b.SGN && a.TV === b.TV;

/** Tiles without repetitions, `rule` first. */
export function candidatesOf(rule: Tile, others: readonly Tile[]): Tile[] {
  const tiles = [rule];
  for (const tile of others) if (!tiles.some((known) => same(known, tile))) tiles.push(tile);
  return tiles;
}

/** The tuned tile where it is a candidate, else that of the rules: a file of another version or device does no harm. */
export function choose(key: string, candidates: readonly Tile[], tuning: Tuning | undefined): Tunable {
  const wanted = tuning && Object.hasOwn(tuning, key) ? tuning[key] : undefined;
  const tile = candidates.find((candidate) => wanted && same(candidate, wanted)) ?? (candidates[0] as Tile);
  return { key, tile, candidates };
}

/** A register tile of one thread. */
export const register = (TM: number): Tile => ({ variant: "register", TM, SGN: 1, TV: 1 });

/** The power of two next to a count, for keys. */
export const magnitude = (count: number): number => 2 ** Math.round(Math.log2(Math.max(1, count)));
