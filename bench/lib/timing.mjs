/** Timing of several sides in turn: A, B, A, B, ... so that drift of the machine falls on all of them alike. */

/** The middle value; the mean of the two middle ones when their number is even. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Geometric mean of positive numbers; NaN when there are none. */
export function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Milliseconds that one awaited call takes. */
export async function time(call) {
  const start = performance.now();
  await call();
  return performance.now() - start;
}

/**
 * Repetitions of a row whose slowest side takes `slowest` ms: fewer than `wanted`, but at least 3, where they would pass 15 s;
 * more, up to four times as many, where they fit into 1.5 s, since short times scatter most.
 */
export function repeatsFor(slowest, wanted) {
  const fewer = Math.min(wanted, Math.max(3, Math.floor(15_000 / slowest)));
  return Math.max(fewer, Math.min(4 * wanted, Math.floor(1_500 / slowest)));
}

/**
 * Runs every side once more as a warm-up, then in turn, and answers each side's times in ms.
 *
 * @param {Record<string, () => Promise<void>>} sides one repetition of each side, finished when its promise resolves
 * @param {number} wanted repetitions of each side
 * @returns {Promise<Record<string, { median: number, times: number[] }>>}
 */
export async function interleave(sides, wanted) {
  const names = Object.keys(sides);
  let slowest = 0;
  for (const name of names) slowest = Math.max(slowest, await time(sides[name]));
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let n = repeatsFor(slowest, wanted); n > 0; n--) {
    for (const name of names) times[name].push(await time(sides[name]));
  }
  return Object.fromEntries(names.map((name) => [name, { median: median(times[name]), times: times[name] }]));
}
