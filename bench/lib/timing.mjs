/** Timing of several sides in turn: A, B, A, B, ... so that drift of the machine falls on all of them alike. */
import { Bench } from "tinybench";

/**
 * Repetitions of a row whose slowest side takes `slowest` ms: fewer than `wanted`, but at least 3, where they would
 * pass 15 s; more, up to four times as many, where they fit into 1.5 s, since short times scatter most.
 */
function repeatsFor(slowest, wanted) {
  const fewer = Math.min(wanted, Math.max(3, Math.floor(15_000 / slowest)));
  return Math.max(fewer, Math.min(4 * wanted, Math.floor(1_500 / slowest)));
}

/** Hooks of a tinybench task that let tasks started together iterate one at a time, first come, first served. */
function turnstile() {
  let last = Promise.resolve();
  let leave;
  return {
    async beforeEach() {
      const before = last;
      let done;
      last = new Promise((resolve) => {
        done = resolve;
      });
      await before;
      leave = done;
    },
    afterEach() {
      leave();
    },
  };
}

async function timeInTurn(sides, iterations) {
  const bench = new Bench({ iterations, time: 0, warmup: false, concurrency: "bench", retainSamples: true });
  const hooks = turnstile();
  // Without `async`, tinybench calls an ordinary function once, untimed, to see whether it returns a promise.
  for (const [name, side] of Object.entries(sides)) bench.add(name, side, { async: true, ...hooks });
  const tasks = await bench.run();
  return Object.fromEntries(
    tasks.map(({ name, result }) => {
      if (result.state === "errored") throw result.error;
      return [name, { median: result.latency.p50, times: result.latency.samples }];
    }),
  );
}

/** Work that takes this long, in ms, needs no warm-up but the check of its outputs. */
const LONG = 4_000;

/**
 * Runs every side once more as a warm-up, unless that is long, then in turn, and returns each side's median and its
 * times in ms, ascending.
 *
 * @param {Record<string, () => Promise<void | { overriddenDuration: number }>>} sides one repetition of each side,
 *   finished when its promise resolves; it may say itself how long it took
 * @param {number} wanted repetitions of each side
 * @param {number} first ms that the slowest side took before, with all that had to be compiled
 * @returns {Promise<Record<string, { median: number, times: number[] }>>}
 */
export async function interleave(sides, wanted, first = 0) {
  if (first > LONG) return await timeInTurn(sides, repeatsFor(first, wanted));
  const warmUp = await timeInTurn(sides, 1);
  const slowest = Math.max(...Object.values(warmUp).map(({ median }) => median));
  return await timeInTurn(sides, repeatsFor(slowest, wanted));
}
