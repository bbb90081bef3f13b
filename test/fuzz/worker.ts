/**
 * Runs one target in a process of its own: `worker.mjs TARGET SEED RUNS FROM SECONDS STATE SCRATCH [INPUT SEEDPLACE]`.
 * Speaks to its parent in messages.
 */
import { openSync, readFileSync, writeSync } from "node:fs";
import { getHeapStatistics } from "node:v8";
import { Coverage } from "./coverage.js";
import { checkGuards, watch } from "./guards.js";
import { type Input, judge, makeInput } from "./input.js";
import { Finding, outcomeOf } from "./oracle.js";
import type { OpenTarget, Target } from "./target.js";
import { TARGETS } from "./targets/index.js";

/** A runtime has garbage: what one input may take beside 4 times the file. */
export const ALLOWANCE = 192 * 2 ** 20;
/** CPU time of one input. */
const HANG = 2000;
const BATCH = 64;
const MOST_KEPT = 400;
const MOST_REPLAYS = 100;
const [name = "", seedText = "1", runs = "1", from = "0", seconds = "0", state = "", scratch = "", ...given] =
  process.argv.slice(2);
const target = TARGETS.find((candidate) => candidate.name === name);
if (target === undefined) throw new Error(`no target is called ${name}`);
// A promise that nobody waits for is a finding of the input at hand.
const unhandled: unknown[] = [];
process.on("unhandledRejection", (error) => unhandled.push(error));
process.on("uncaughtException", (error) => unhandled.push(error));
const file = state === "" ? undefined : openSync(state, "w+");
const head = new Int32Array(3);

const cpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
/** What lies in the heap and in array buffers, garbage too. */
const memory = (): number => {
  const { used_heap_size: heap, external_memory: buffers } = getHeapStatistics();
  return heap + buffers;
};
const collect = (globalThis as { gc?: () => void }).gc;

/** As {@link judge}, and nothing else happened meanwhile. */
async function runOnce(open: OpenTarget, input: Input): Promise<string> {
  const outcome = await judge(open, input);
  if (unhandled.length > 0) {
    const [error] = unhandled.splice(0);
    throw new Finding("unhandled", error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  checkGuards();
  return outcome;
}

/** Runs an input and measures it; what looks too slow or too large is run again alone. */
async function runMeasured(open: OpenTarget, input: Input): Promise<string> {
  const [start, before] = [performance.now(), memory()];
  const outcome = await runOnce(open, input);
  const most = 4 * input.bytes.length + ALLOWANCE;
  if (memory() - before > most) await measureMemory(open, input, most);
  if (performance.now() - start > HANG) await measureTime(open, input);
  return outcome;
}

async function measureTime(open: OpenTarget, input: Input): Promise<void> {
  const start = cpu();
  await runOnce(open, input);
  const time = cpu() - start;
  if (time > HANG) throw new Finding("slow", `${Math.round(time)} ms of CPU time for ${input.bytes.length} bytes`);
}

/** What lies there at once: everything is collected before, and again each few milliseconds. */
async function measureMemory(open: OpenTarget, input: Input, most: number): Promise<void> {
  collect?.();
  const before = memory();
  let peak = 0;
  const timer = setInterval(() => {
    if (memory() - before > most) collect?.();
    peak = Math.max(peak, memory() - before);
  }, 5);
  await runOnce(open, input);
  clearInterval(timer);
  if (memory() - before > most) collect?.();
  peak = Math.max(peak, memory() - before);
  if (peak > most) throw new Finding("memory", `${Math.round(peak / 2 ** 20)} MiB for ${input.bytes.length} bytes`);
}

/** Tells the parent, which may have to end this process, what is at work. */
function note(index: number, { bytes, seed }: Input): void {
  if (file === undefined) return;
  head.set([index, seed, bytes.length]);
  writeSync(file, Buffer.concat([new Uint8Array(head.buffer), bytes]), 0, undefined, 0);
}

const send = (message: object): Promise<void> =>
  new Promise((done) => (process.send ? process.send(message, undefined, {}, () => done()) : done()));

async function fuzz(open: OpenTarget): Promise<void> {
  const coverage = new Coverage();
  const kept: Input[] = [];
  const outcomes = new Set<string>();
  const known = new Set<string>();
  const keep = (input: Input, r: number): void => {
    if (input.bytes.length > 2 ** 16) return;
    if (kept.length < MOST_KEPT) kept.push(input);
    else kept[r % MOST_KEPT] = input;
  };
  for (const [seed, { bytes }] of open.seeds.entries()) outcomes.add(await runMeasured(open, { bytes, seed }));
  coverage.remember(coverage.take());
  const end = Number(runs);
  const deadline = Number(seconds) > 0 ? performance.now() + Number(seconds) * 1000 : Number.POSITIVE_INFINITY;
  let batch: Input[] = [];
  let replays = 0;
  let done = 0;
  for (let index = Number(from); index < end && performance.now() < deadline; index++) {
    const input = makeInput(`${seedText}/${name}`, index, end, open.seeds, kept);
    note(index, input);
    batch.push(input);
    try {
      const outcome = await runMeasured(open, input);
      if (!outcomes.has(outcome)) {
        outcomes.add(outcome);
        keep(input, index);
      }
    } catch (error) {
      if (!(error instanceof Finding)) throw error;
      // Each kind once: the text without its numbers tells them apart.
      const key = `${error.kind}: ${outcomeOf(error.message)}`;
      if (!known.has(key)) {
        known.add(key);
        const data = Buffer.from(input.bytes).toString("base64");
        await send({ finding: { kind: error.kind, text: error.message, seed: input.seed, data } });
      }
    }
    done++;
    if (batch.length < BATCH) continue;
    const fresh = coverage.take();
    if (fresh.length > 0 && replays++ < MOST_REPLAYS) {
      for (const again of batch) {
        await runOnce(open, again).catch(() => {});
        const own = coverage.take();
        if (own.length > 0) keep(again, index);
        coverage.remember(own);
      }
    }
    coverage.remember(fresh);
    batch = [];
    if (index % 1024 < BATCH) await send({ progress: { index, done } });
  }
  await send({ end: { done, outcomes: outcomes.size, blocks: coverage.blocks, kept: kept.length } });
}

async function main(): Promise<number> {
  const open = await (target as Target).open(scratch);
  watch();
  if (given[0] === undefined) {
    await fuzz(open);
    return 0;
  }
  const input = { bytes: new Uint8Array(readFileSync(given[0])), seed: Number(given[1] ?? 0) };
  try {
    console.log(`no finding: ${await runMeasured(open, input)}`);
    return 0;
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    console.log(`${error.kind}: ${error.message}`);
    return 1;
  }
}

const code = await main().catch((error: unknown) => {
  console.error(error);
  return 3;
});
process.disconnect?.();
process.exit(code);
