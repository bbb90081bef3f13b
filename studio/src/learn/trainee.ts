import { type Optimizer, type TrainState, train } from "@fcn/core";
import type { optim } from "@fcn/tensor";
import type { OwnNet } from "./nets.js";
import type { Patches } from "./patches.js";
import type { Turns } from "./turns.js";

/** How far a net has come. */
export interface Reading {
  readonly step: number;
  /** The mean over the steps since the last reading. */
  readonly loss: number;
  readonly stepsPerSecond: number;
}

/** What a net learns from, and by which rules. */
export interface TraineeOptions {
  readonly net: OwnNet;
  readonly patches: Patches;
  readonly turns: Turns;
  readonly learningRate: number;
  readonly from?: TrainState | undefined;
  /** Called and awaited every few steps, in the turn of the net, with the average of its weights in it. */
  readonly onReading: (reading: Reading) => Promise<void>;
}

/** Steps between two readings. */
const READ_EVERY = 5;
/**
 * Share of the moving average that a step keeps. Few pixels and small batches let weights and running statistics jump
 * from step to step; the average is steady.
 */
const EMA = 0.95;
/** More than anyone waits for. */
const STEPS = 10_000_000;

/** Ends `train` in place of a batch. */
const STOP = new Error("The training was stopped.");

/** One net in training, a turn a step, which can be halted and go on at any step. */
export class Trainee {
  readonly net: OwnNet;
  #step: number;
  #optimizer: Optimizer | undefined;
  #average: optim.ExponentialMovingAverage | undefined;
  #endTurn: (() => void) | undefined;
  #isStopped = false;
  #isHalted = true;
  #wake: () => void = () => {};
  #running: Promise<void> | undefined;

  constructor(private readonly options: TraineeOptions) {
    this.net = options.net;
    this.#step = options.from?.step ?? 0;
  }

  /** Steps that are made. */
  get step(): number {
    return this.#step;
  }

  /** Runs `work` with the moving average of the weights in the net. To be called in a turn. */
  async steadily<Result>(work: () => Promise<Result>): Promise<Result> {
    const average = this.#average;
    average?.swap();
    try {
      return await work();
    } finally {
      average?.swap();
    }
  }

  /** Where training can go on; undefined before the first step. To be taken in a turn. */
  get state(): TrainState | undefined {
    const optimizer = this.#optimizer?.stateDict();
    return optimizer ? { step: this.#step, optimizer } : this.options.from;
  }

  /** Lets the net learn, or halts it after the step that it is in. */
  set isOn(isOn: boolean) {
    this.#isHalted = !isOn;
    this.#wake();
  }

  /** Trains until `stop`. Rejects with what ends the training otherwise. */
  run(): Promise<void> {
    this.#running ??= this.#train();
    return this.#running;
  }

  /** Ends the training after the step that it is in, and waits for that. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake();
    await this.#running?.catch(() => undefined);
  }

  async #train(): Promise<void> {
    const { net, patches, learningRate, from, onReading } = this.options;
    const { model, metadata } = net;
    const first = this.#step + 1;
    let [since, at] = [performance.now(), this.#step];
    try {
      await train({
        model,
        data: { next: () => this.#next() },
        preprocessing: patches.options.preprocessing,
        numClasses: metadata.classes.length,
        steps: STEPS,
        learningRate,
        optimizer: "adam",
        schedule: "fixed",
        ema: EMA,
        readEvery: READ_EVERY,
        readAt: (step) => step === first,
        ...(from ? { from } : {}),
        onProgress: async ({ step, loss }, optimizer, _, average) => {
          [this.#optimizer, this.#average] = [optimizer, average];
          const stepsPerSecond = (1000 * (step - at)) / (performance.now() - since);
          await this.steadily(() => onReading({ step, loss, stepsPerSecond }));
          [since, at] = [performance.now(), step];
        },
      });
    } catch (error) {
      if (error !== STOP) throw error;
    } finally {
      [this.#optimizer, this.#average] = [undefined, undefined];
      this.#endTurn?.();
    }
  }

  async #next(): Promise<IteratorResult<ReturnType<Patches["next"]>>> {
    this.#endTurn?.();
    this.#endTurn = undefined;
    for (;;) {
      while (!this.#isStopped && this.#isResting) await new Promise<void>((resolve) => (this.#wake = resolve));
      if (this.#isStopped) throw STOP;
      const end = await this.options.turns.take();
      if (this.#isStopped || this.#isResting) {
        end();
        continue;
      }
      this.#endTurn = end;
      this.#step++;
      return { done: false, value: this.options.patches.next() };
    }
  }

  get #isResting(): boolean {
    return this.#isHalted || this.options.patches.isEmpty;
  }
}
