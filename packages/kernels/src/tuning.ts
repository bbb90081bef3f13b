/**
 * How a kernel gets its operands: the lanes of a subgroup share what they load, a workgroup brings it into memory of
 * its own, or every thread loads for itself. A 3x3 convolution may also become products by Winograd's minimal
 * filtering.
 */
export type Variant = "winograd" | "subgroup" | "workgroup" | "register";

/** How the work of a kernel is divided. The choice changes nothing but speed and the order of sums. */
export interface KernelTile {
  /** Which kernel. */
  readonly variant: Variant;
  /** Pixels (or rows of the weight, or outputs of a row) that a team or a thread owns. */
  readonly TM: number;
  /** Lanes of a team, or threads of a workgroup, side by side along the columns; 1 where each thread loads alone. */
  readonly SGN: number;
  /** vec4 columns that a lane or thread owns. */
  readonly TV: number;
}

/** Raised by whoever makes earlier measurements worthless: by other keys or tiles, or by much faster kernels. */
export const TUNING_VERSION = 1;

/** Tiles by what they are for: kernel sizes, channels, amount of work. Plain data, which can be kept in a file. */
export type Tuning = Readonly<Record<string, KernelTile>>;

/** A choice of tile that a plan made. */
export interface Tunable {
  /** What the tile is for: kernel sizes, channels, and the amount of work to a factor of two. */
  readonly key: string;
  /** The tile that the plan uses. */
  readonly tile: KernelTile;
  /** The tiles that it may use; the first is the one that the rules choose. */
  readonly candidates: readonly KernelTile[];
}

export const sameTile = (a: KernelTile, b: KernelTile): boolean =>
  a.variant === b.variant && a.TM === b.TM && a.SGN === b.SGN && a.TV === b.TV;

/**
 * The tuned tile if it is a candidate, else that of the rules, so a file from another version or device does no harm.
 */
export function choose(key: string, candidates: readonly KernelTile[], tuning: Tuning | undefined): Tunable {
  const wanted = tuning && Object.hasOwn(tuning, key) ? tuning[key] : undefined;
  const tile = candidates.find((candidate) => wanted && sameTile(candidate, wanted)) ?? (candidates[0] as KernelTile);
  return { key, tile, candidates };
}

/** A register tile of one thread. */
export const register = (TM: number): KernelTile => ({ variant: "register", TM, SGN: 1, TV: 1 });

/** The power of two nearest to a count, for keys. */
export const magnitude = (count: number): number => 2 ** Math.round(Math.log2(Math.max(1, count)));
