/** A mask has soft edges if more than this share of the pixels at its borders are steps between two classes. */
const MOST_STEPS = 0.13;
/** Numbers within a smaller span than this are labels. */
const LEAST_SPAN = 32;
/** Lossy compression turns white into several levels from here to 255; maps of labels hardly have so many classes. */
const WHITE = { from: 240, levels: 3 } as const;

/**
 * Whether a mask has soft edges, as left by blurring, smoothing, scaling and lossy compression: many pixels at its
 * borders lie between their opposite neighbours in value, which is rare in maps of labels.
 *
 * @param keys grey levels, or 0xRRGGBB with `isColour`
 */
export function hasSoftEdges(keys: ArrayLike<number>, height: number, width: number, isColour: boolean): boolean {
  if (!isColour && spanOf(keys) < LEAST_SPAN) return false;
  const isBetween = isColour ? isColourBetween : isLevelBetween;
  const whites = new Set<number>();
  let [border, steps] = [0, 0];
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      const [key, left, right] = [keys[at]!, keys[at - 1]!, keys[at + 1]!];
      const [above, below] = [keys[at - width]!, keys[at + width]!];
      if (left === key && right === key && above === key && below === key) continue;
      border++;
      if (isBetween(left, key, right) || isBetween(above, key, below)) steps++;
      if (!isColour && key >= WHITE.from && key <= 255) whites.add(key);
    }
  }
  // Without any area, such as in stripes one pixel wide, there is nothing that was smoothed.
  const hasArea = border < (height - 2) * (width - 2);
  return hasArea && (steps > MOST_STEPS * border || whites.size >= WHITE.levels);
}

function spanOf(keys: ArrayLike<number>): number {
  let [least, largest] = [keys[0] ?? 0, keys[0] ?? 0];
  for (let i = 1; i < keys.length; i++) {
    if (keys[i]! < least) least = keys[i]!;
    else if (keys[i]! > largest) largest = keys[i]!;
  }
  return largest - least;
}

const isLevelBetween = (a: number, key: number, b: number): boolean => (a < key && key < b) || (b < key && key < a);

function isColourBetween(a: number, key: number, b: number): boolean {
  if (a === key || b === key) return false;
  return [16, 8, 0].every((shift) => {
    const [first, own, last] = [(a >> shift) & 0xff, (key >> shift) & 0xff, (b >> shift) & 0xff];
    return own >= Math.min(first, last) && own <= Math.max(first, last);
  });
}
