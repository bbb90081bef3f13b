import type { Capabilities, Plan, Tuning } from "@fcn/kernels";
import type { Engine } from "../device/engine.js";
import type { Storage } from "../device/storage.js";
import { type Planner, Tuner, type TuningProgress } from "../device/tuner.js";
import { otherDevice, show, TensorError } from "../plain/errors.js";
import { checkValue } from "../plain/options.js";
import { seed } from "../plain/rules.js";
import { elementsOf } from "../plain/shape.js";
import { type Held, ScopeStack } from "./scope.js";

/** The stream of random numbers that were given no seed; seeded ones are in stream 0, masks of dropout in 1. */
const UNSEEDED = 2;

/** What the runtime needs to know of a tensor. */
export interface Operand extends Held {
  readonly runtime: Runtime;
  readonly storage: Storage;
}

/** What the tensors of one device share: the engine, the open scopes, and the count of seeds and of live tensors. */
export class Runtime {
  readonly scopes = new ScopeStack();
  /** Tensors that were made and not yet disposed, but for untracked ones. */
  liveTensors = 0;
  #seed = 0;
  #tuner: Tuner | undefined;

  constructor(readonly engine: Engine) {}

  /** What the choice of kernels and tiles goes by. */
  get capabilities(): Capabilities {
    return this.engine.capabilities;
  }

  allocate(shape: readonly number[]): Storage {
    return this.engine.allocate("allocate", elementsOf(shape) * 4, shape);
  }

  /** Carries out a plan on tensors by operand name. One that has a choice of tiles comes as a function, to be tuned. */
  run(op: string, planned: Planner | Plan | undefined, operands: Readonly<Record<string, Operand | undefined>>): void {
    const plan = typeof planned === "function" ? planned(this.capabilities) : planned;
    const storages: Record<string, Storage> = {};
    for (const [name, operand] of Object.entries(operands)) {
      if (!operand) continue;
      if (operand.runtime !== this) throw otherDevice(op, operand.shape);
      storages[name] = operand.storage;
    }
    if (!plan) {
      const shapes = Object.values(operands).flatMap((operand) => (operand ? [show(operand.shape)] : []));
      throw new TensorError({
        code: "limit-exceeded",
        message: `${op}: operands of shapes ${shapes.join(" ")} have rows larger than the ${this.capabilities.bindingLimit} bytes that one binding can show`,
        fix: "use a smaller batch or image, or cut the input into tiles",
      });
    }
    if (typeof planned === "function") this.#tuner?.add(op, planned, plan.tunable, storages);
    this.engine.run(op, plan, storages);
  }

  /** The seed and stream of an op's random numbers: those of `given`, or else the next that no given seed has. */
  seedFrom(op: string, given: number | undefined, stream = 0): { seed: number; stream: number } {
    if (given === undefined) return { seed: this.#seed++, stream: UNSEEDED };
    checkValue(op, "seed", given, seed);
    return { seed: given, stream };
  }

  track(tensor: Held): void {
    this.liveTensors++;
    this.scopes.add(tensor);
  }

  untrack(tensor: Held): void {
    this.liveTensors--;
    this.scopes.remove(tensor);
  }

  /** Runs `fn` and frees the tensors that it makes but does not return. */
  collect<T extends readonly (Held | undefined)[]>(fn: () => T): T {
    const frame = this.scopes.open();
    try {
      const result = this.scopes.run(frame, fn);
      for (const tensor of result) if (tensor) this.scopes.remove(tensor);
      return result;
    } finally {
      this.scopes.close(frame, undefined);
    }
  }

  /** Compiles the kernels that `fn` would need; nothing is computed. What `fn` makes is freed. */
  async warmUp(fn: () => unknown): Promise<void> {
    const frame = this.scopes.open();
    try {
      await this.scopes.run(frame, () => this.engine.warmUp(fn));
    } finally {
      this.scopes.close(frame, undefined);
    }
  }

  /**
   * Measures the tiles of the ops of `fn` and uses the fastest from then on. Returns those that differ from the rules'.
   */
  async tune(fn: () => unknown, onProgress: TuningProgress | undefined): Promise<Tuning> {
    const tuner = new Tuner();
    this.#tuner = tuner;
    await this.warmUp(fn).finally(() => (this.#tuner = undefined));
    const tuning = await tuner.measure(this.engine, onProgress);
    this.engine.adoptTuning(tuning);
    return tuning;
  }
}
