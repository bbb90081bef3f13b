import type { Progress } from "./state.js";

/** Points that are kept; beyond, every second one goes. */
const POINTS = 1200;

/** The curves with one point more; a step that came before begins them anew. */
export function extended(points: readonly Progress[], { step, loss, heldBack }: Progress): readonly Progress[] {
  const last = points.at(-1);
  const before = last !== undefined && step <= last.step ? [] : points;
  const thinned = before.length < POINTS ? before : before.filter((_, i) => i % 2 === 0);
  return [...thinned, { step, loss, heldBack }];
}
