import { type Plan, sameTile, type Tunable } from "@fcn/kernels";
import type { Background } from "../core/runtime.js";
import type { Storage } from "../device/storage.js";
import {
  type Bench,
  caseOf,
  measureCase,
  type Planner,
  type TuningCase,
  type TuningResult,
  type Turn,
} from "../device/tuner.js";
import type { Measured } from "./file.js";

/** A device of the same adapter on which to measure, so that no failure there reaches the work, nor its memory. */
export interface Workbench extends Bench {
  readonly memory: { trim(bytes: number): void };
  destroy(): void;
}

export interface Surroundings {
  /** What need not be measured. */
  readonly known: Measured;
  /** The most bytes that operands and scratch memory of a measurement may take. */
  readonly mostBytes: number;
  open(): Promise<Workbench>;
  keep(result: TuningResult): Promise<unknown>;
  tell(line: string): void;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/**
 * Measures the tiles of what a device plans, a few runs at a time and only when its owner has waited for all its work.
 * What is found is kept for devices that are opened later: this one goes on with its tiles, and so with its bits.
 */
export class BackgroundTuner implements Background {
  readonly #noted = new Set<string>();
  readonly #queue: TuningCase[] = [];
  #bench: Workbench | undefined;
  /** The part of a measurement that waits for its turn. */
  #next: (() => Promise<void>) | undefined;
  #isWorking = false;
  #isOver = false;
  #hasTold = false;

  constructor(private readonly around: Surroundings) {}

  add(op: string, planner: Planner, plan: Plan, operands: Readonly<Record<string, Storage>>): void {
    const { tunable, scratch = {} } = plan;
    if (!tunable || this.#isOver || this.#noted.has(tunable.key)) return;
    this.#noted.add(tunable.key);
    const wanted = caseOf(op, planner, tunable, operands);
    const bytes = sum([...Object.values(wanted.bytes), ...Object.values(scratch)]);
    if (tunable.candidates.length < 2 || this.#isKnown(tunable) || bytes > this.around.mostBytes) return;
    this.#queue.push(wanted);
    if (!this.#isWorking) void this.#work();
  }

  async slice(): Promise<void> {
    const next = this.#next;
    this.#next = undefined;
    await next?.();
  }

  end(): void {
    this.#isOver = true;
    this.#next = undefined;
    this.#close();
  }

  #isKnown({ key, candidates }: Tunable): boolean {
    const { tiles, unchanged } = this.around.known;
    const tile = Object.hasOwn(tiles, key) ? tiles[key] : undefined;
    return unchanged.includes(key) || candidates.some((candidate) => tile && sameTile(candidate, tile));
  }

  readonly #turn: Turn = (work) =>
    new Promise((resolve, reject) => {
      this.#next = () => work().then(resolve, reject);
    });

  /** Measures what is noted, one after the other. */
  async #work(): Promise<void> {
    this.#isWorking = true;
    for (let wanted = this.#queue.shift(); wanted && !this.#isOver; wanted = this.#queue.shift()) {
      await this.#measure(wanted).catch((error: Error) => this.#passOver(error));
    }
    this.#isWorking = false;
    this.#close();
  }

  async #measure(wanted: TuningCase): Promise<void> {
    const bench = this.#bench ?? (await this.around.open());
    this.#bench = bench;
    // The device may have ended meanwhile.
    if (this.#isOver) return this.#close();
    const result = await measureCase(bench, wanted, this.#turn);
    bench.memory.trim(0);
    await this.around.keep(result);
  }

  /** A failed measurement is of no concern to the work: its op keeps the tile of the rules. */
  #passOver({ message }: Error): void {
    if (this.#isOver) return;
    this.#close();
    if (!this.#hasTold) this.around.tell(`fcn: a measurement of tiles failed and is passed over: ${message}`);
    this.#hasTold = true;
  }

  #close(): void {
    this.#bench?.destroy();
    this.#bench = undefined;
  }
}
