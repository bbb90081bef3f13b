/** A mask whose keys are mostly steps between the real ones, as left by blurring, smoothing and lossy compression. */
export interface SoftEdges {
  /** Number of keys that lie between others along borders. */
  readonly steps: number;
  /** The keys that fill areas, in ascending order. */
  readonly areas: readonly number[];
}

/** Pixel counts of one key. */
interface Use {
  pixels: number;
  /** Pixels with an equal horizontal and an equal vertical neighbour. */
  flat: number;
  /** Other pixels that lie between a lower and a higher neighbour on opposite sides. */
  between: number;
}

/** A key with more than these shares of its pixels fills areas, or is a step. */
const MOSTLY = { flat: 0.5, between: 0.3 } as const;
/** The smallest share of the mask that the key of an area fills. */
const LEAST_AREA = 0.002;
/** An edge is soft with at least this many steps, and this many per area. */
const STEPS = { least: 4, perArea: 2 } as const;
/** If keys are farther apart than this, fewer steps suffice, because labels are usually consecutive numbers. */
const FAR_APART = 8;
/** The ends of the scale where a compressed black and white mask lies, and the share of its pixels there. */
const ENDS = { low: 15, high: 240, part: 0.9, keys: 2 } as const;
/** The most distinct keys that are counted. */
const MOST_KEYS = 4096;

/**
 * Finds soft edges in a mask; undefined if its borders are hard. In a label map, nearly all pixels of a class have
 * equal neighbours, or form a line with the same class on either side. The steps of a soft edge have neither.
 *
 * @param keys grey levels, or 0xRRGGBB with `isColour`
 */
export function findSoftEdges(
  keys: ArrayLike<number>,
  height: number,
  width: number,
  isColour: boolean,
): SoftEdges | undefined {
  const uses = countUses(keys, height, width, isColour ? isColourBetween : isLevelBetween);
  if (uses.size < 3) return undefined;
  const all = [...uses].sort(([a], [b]) => a - b);
  const steps = all.filter(([, { pixels, between }]) => between > MOSTLY.between * pixels).length;
  const filling = all.filter(([, { pixels, flat }]) => {
    return flat > MOSTLY.flat * pixels && pixels >= LEAST_AREA * height * width;
  });
  const span = (all.at(-1)?.[0] ?? 0) - (all[0]?.[0] ?? 0);
  const areas = span < WIDE ? filling.map(([key]) => key) : mainKeys(filling, isColour);
  const isSparse = isColour || span > FAR_APART * (all.length - 1);
  const isMany = steps >= STEPS.least && steps >= STEPS.perArea * filling.length;
  const isFew = isSparse && steps >= 2 && steps >= filling.length;
  if (filling.length > 0 && (isMany || isFew)) return { steps, areas };
  return isColour ? undefined : atBothEnds(all, height * width);
}

/** Lossy compression shifts parts of an area by at most this much in a channel. */
const SHIFT = 8;
/** Keys within a smaller span than this are labels, each with its own meaning, rather than grey levels. */
const WIDE = 128;

/** Of neighbouring keys, the one with the most pixels. */
function mainKeys(filling: readonly (readonly [number, Use])[], isColour: boolean): number[] {
  const kept: number[] = [];
  const isNear = (a: number, b: number): boolean =>
    isColour
      ? [16, 8, 0].every((shift) => Math.abs(((a >> shift) & 0xff) - ((b >> shift) & 0xff)) <= SHIFT)
      : Math.abs(a - b) <= SHIFT;
  for (const [key] of [...filling].sort(([, a], [, b]) => b.pixels - a.pixels)) {
    if (!kept.some((other) => isNear(other, key))) kept.push(key);
  }
  return kept.sort((a, b) => a - b);
}

/**
 * Detects levels that cluster only at both ends of the scale: black and white after lossy compression, which also
 * shifts whole blocks.
 */
function atBothEnds(all: readonly (readonly [number, Use])[], total: number): SoftEdges | undefined {
  const low = all.filter(([key]) => key <= ENDS.low);
  const high = all.filter(([key]) => key >= ENDS.high && key <= 255);
  if (low.length < ENDS.keys || high.length < ENDS.keys) return undefined;
  const share = [...low, ...high].reduce((sum, [, { pixels }]) => sum + pixels, 0) / total;
  return share < ENDS.part ? undefined : { steps: all.length - 2, areas: [0, 255] };
}

type Between = (a: number, key: number, b: number) => boolean;

function countUses(keys: ArrayLike<number>, height: number, width: number, isBetween: Between): Map<number, Use> {
  const uses = new Map<number, Use>();
  const at = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= width || y >= height ? Number.NaN : keys[y * width + x]!;
  const isStep = (x: number, y: number, key: number): boolean =>
    isBetween(at(x - 1, y), key, at(x + 1, y)) ||
    isBetween(at(x, y - 1), key, at(x, y + 1)) ||
    isBetween(at(x - 1, y - 1), key, at(x + 1, y + 1)) ||
    isBetween(at(x + 1, y - 1), key, at(x - 1, y + 1));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const key = keys[y * width + x] as number;
      let use = uses.get(key);
      if (use === undefined) {
        if (uses.size >= MOST_KEYS) continue;
        use = { pixels: 0, flat: 0, between: 0 };
        uses.set(key, use);
      }
      use.pixels++;
      const beside = at(x - 1, y) === key || at(x + 1, y) === key;
      if (beside && (at(x, y - 1) === key || at(x, y + 1) === key)) use.flat++;
      else if (isStep(x, y, key)) use.between++;
    }
  }
  return uses;
}

const isLevelBetween: Between = (a, key, b) => (a < key && key < b) || (b < key && key < a);

function isColourBetween(a: number, key: number, b: number): boolean {
  if (Number.isNaN(a) || Number.isNaN(b) || a === key || b === key) return false;
  for (const shift of [16, 8, 0]) {
    const [first, own, last] = [(a >> shift) & 0xff, (key >> shift) & 0xff, (b >> shift) & 0xff];
    if (own < Math.min(first, last) || own > Math.max(first, last)) return false;
  }
  return true;
}
