/** A mask has soft edges if more than this share of the pixels at its borders are steps between two classes. */
const MOST_STEPS = 0.15;
/** Keys within a smaller span than this are labels, of which neighbours may be consecutive numbers. */
const WIDE = 128;

/**
 * Whether a mask has soft edges, as left by blurring, smoothing, scaling and lossy compression. In a map of labels
 * hardly any pixel at a border lies between its opposite neighbours in value, and hardly any of two neighbouring grey
 * levels differ by 1.
 *
 * @param keys grey levels, or 0xRRGGBB with `isColour`
 */
export function hasSoftEdges(keys: ArrayLike<number>, height: number, width: number, isColour: boolean): boolean {
  const isBetween = isColour ? isColourBetween : isLevelBetween;
  const isNear = !isColour && spanOf(keys) >= WIDE;
  const isStep = (a: number, key: number, b: number): boolean =>
    isBetween(a, key, b) || (isNear && (Math.abs(a - key) === 1 || Math.abs(b - key) === 1));
  let [border, steps] = [0, 0];
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      const [key, left, right] = [keys[at]!, keys[at - 1]!, keys[at + 1]!];
      const [above, below] = [keys[at - width]!, keys[at + width]!];
      if (left === key && right === key && above === key && below === key) continue;
      border++;
      if (isStep(left, key, right) || isStep(above, key, below)) steps++;
    }
  }
  return steps > MOST_STEPS * border;
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
