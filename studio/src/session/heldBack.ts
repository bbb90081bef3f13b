import type { Session } from "./types.js";

/** Of this many strokes of a class, the last is held back. */
const EVERY = 3;

/**
 * The ids of the strokes that are not trained on, so that accuracy can be measured on them: of each class's strokes
 * over all images, every third in the order of painting. Erasers are never held back.
 */
export function heldBackOf({ images }: Session): ReadonlySet<string> {
  const strokes = images.flatMap((image) => image.strokes);
  const inOrder = strokes.sort((a, b) => (a.order ?? 0) - (b.order ?? 0));
  const counts = new Map<string, number>();
  const held = new Set<string>();
  for (const { id, classId } of inOrder) {
    if (classId === null) continue;
    const count = (counts.get(classId) ?? 0) + 1;
    counts.set(classId, count);
    if (count % EVERY === 0) held.add(id);
  }
  return held;
}
