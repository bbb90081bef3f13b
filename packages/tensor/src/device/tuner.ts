import type { Capabilities, KernelTile, Plan, Tunable, Tuning } from "@fcn/kernels";
import { TensorError } from "../plain/errors.js";
import type { Storage } from "./storage.js";

/** Plans one op for a device with these capabilities. */
export type Planner = (capabilities: Capabilities) => Plan | undefined;

/** @internal An op with a choice of tiles, and the bytes of its operands. */
export interface TuningCase {
  readonly op: string;
  readonly planner: Planner;
  readonly tunable: Tunable;
  readonly bytes: Readonly<Record<string, number>>;
}

/** The result of tuning one op. */
export interface TuningResult {
  readonly key: string;
  readonly tile: KernelTile;
  /** Time of the default tile divided by the time of `tile`. */
  readonly speedup: number;
}

/** @internal The part of the device that measuring needs. */
export interface Bench {
  readonly capabilities: Capabilities;
  allocate(op: string, bytes: number): Storage;
  run(op: string, plan: Plan, operands: Readonly<Record<string, Storage>>): void;
  warm(plan: Plan): Promise<void>;
  sync(): Promise<void>;
}

/** @internal Runs a part of a measurement that lasts no longer than a few runs of a plan, when it may. */
export type Turn = <T>(work: () => Promise<T>) => Promise<T>;

/** Called with the result for each op. */
export type TuningProgress = (done: number, total: number, result: TuningResult) => void;

/** @internal Collects the ops that have a choice of tiles, one per key. */
export class Tuner {
  readonly #cases = new Map<string, TuningCase>();

  add(op: string, planner: Planner, { tunable }: Plan, operands: Readonly<Record<string, Storage>>): void {
    if (!tunable || tunable.candidates.length < 2 || this.#cases.has(tunable.key)) return;
    this.#cases.set(tunable.key, caseOf(op, planner, tunable, operands));
  }

  /** Measures all of them, and returns the tiles that differ from the defaults. */
  async measure(bench: Bench, onProgress: TuningProgress = () => {}): Promise<Tuning> {
    const tiles: [string, KernelTile][] = [];
    let done = 0;
    for (const wanted of this.#cases.values()) {
      const result = await measureCase(bench, wanted);
      if (result.speedup > 1) tiles.push([result.key, result.tile]);
      onProgress(++done, this.#cases.size, result);
    }
    return Object.fromEntries(tiles);
  }
}

/** @internal */
export function caseOf(
  op: string,
  planner: Planner,
  tunable: Tunable,
  operands: Readonly<Record<string, Storage>>,
): TuningCase {
  const bytes = Object.fromEntries(Object.entries(operands).map(([name, { byteLength }]) => [name, byteLength]));
  return { op, planner, tunable, bytes };
}

/** The shortest duration of a round, unless a single run takes longer. */
const ROUND_MS = 10;
const MOST_RUNS = 200;
const ROUNDS = 2;
/** The winner and the default tile run this many rounds in turn. A lead below `WORTHWHILE` is noise. */
const FINAL_ROUNDS = 5;
const WORTHWHILE = 1.03;
/** A tile is dropped if a run takes this many times as long as with the best one. */
const HOPELESS = 1.5;

/** Runs a tile so many times, and returns the milliseconds of one. */
type Round = (runs: number) => Promise<number>;

interface Timed {
  readonly round: Round;
  readonly time: number;
}

/**
 * @internal Measures every candidate on operands of the same sizes, and returns the fastest. Compiling and the first
 * run of a candidate wait for no turn.
 */
export async function measureCase(
  bench: Bench,
  { op, planner, tunable, bytes }: TuningCase,
  turn: Turn = (work) => work(),
): Promise<TuningResult> {
  const { key, candidates } = tunable;
  const operands = Object.fromEntries(Object.entries(bytes).map(([name, size]) => [name, bench.allocate(op, size)]));
  const measured = new Map<KernelTile, Timed>();
  try {
    let best = { tile: candidates[0] as KernelTile, time: Number.POSITIVE_INFINITY };
    for (const tile of candidates) {
      const plan = planner({ ...bench.capabilities, tuning: { [key]: tile } });
      if (!plan || !(await compiles(bench, plan))) continue;
      const run = roundOf(bench, op, plan, operands);
      // The driver may still be compiling in the first run.
      await run(1);
      const round: Round = (runs) => turn(() => run(runs));
      const time = await timeOf(round, HOPELESS * best.time);
      measured.set(tile, { round, time });
      if (time < best.time) best = { tile, time };
    }
    const [rule] = candidates as readonly [KernelTile];
    const [first, last] = [measured.get(rule), measured.get(best.tile)];
    const speedup = first && last && first !== last ? await compare(first, last) : 1;
    return speedup >= WORTHWHILE ? { key, tile: best.tile, speedup } : { key, tile: rule, speedup: 1 };
  } finally {
    for (const operand of Object.values(operands)) operand.release();
  }
}

/** A kernel may need more registers than the adapter has. */
async function compiles(bench: Bench, plan: Plan): Promise<boolean> {
  try {
    await bench.warm(plan);
    return true;
  } catch (error) {
    if (error instanceof TensorError && error.code === "kernel-compile") return false;
    throw error;
  }
}

/** Milliseconds per run of a plan, averaged over several runs in a row. */
function roundOf(bench: Bench, op: string, plan: Plan, operands: Readonly<Record<string, Storage>>): Round {
  return async (runs) => {
    await bench.sync();
    const start = performance.now();
    for (let i = 0; i < runs; i++) bench.run(op, plan, operands);
    await bench.sync();
    return (performance.now() - start) / runs;
  };
}

const runsFor = (time: number): number => Math.min(MOST_RUNS, Math.max(1, Math.ceil(ROUND_MS / time)));

/** The shortest time of a few rounds, or that of a single run if it exceeds `limit`. */
async function timeOf(round: Round, limit: number): Promise<number> {
  let best = await round(1);
  if (best > limit) return best;
  for (let i = 0; i < ROUNDS; i++) best = Math.min(best, await round(runsFor(best)));
  return best;
}

/** The median ratio of neighbouring rounds: how many times faster `b` is than `a`. */
async function compare(a: Timed, b: Timed): Promise<number> {
  const ratios: number[] = [];
  for (let i = 0; i < FINAL_ROUNDS; i++) {
    const before = await a.round(runsFor(a.time));
    ratios.push(before / (await b.round(runsFor(b.time))));
  }
  return ratios.sort((x, y) => x - y)[FINAL_ROUNDS >> 1] as number;
}
