import type { Capabilities, Plan, Tuning } from "@fcn/kernels";
import type { Engine } from "../device/engine.js";
import type { Storage } from "../device/storage.js";
import type { Planner, Tuner, TuningProgress } from "../device/tuner.js";
import { limitExceeded, otherDevice, show, TensorError } from "../plain/errors.js";
import { checkValue } from "../plain/options.js";
import { seed } from "../plain/rules.js";
import { elementsOf } from "../plain/shape.js";
import { bytesPerElement, type DType } from "../plain/types.js";
import { PlanCache, type Planned, planFor } from "./planned.js";
import { type Held, ScopeStack } from "./scope.js";

/** The random stream of calls without a seed. Stream 0 is for calls with a seed, stream 1 for dropout masks. */
const UNSEEDED = 2;

/** What the runtime needs to know about a tensor. */
export interface Operand extends Held {
  readonly runtime: Runtime;
  readonly storage: Storage;
  readonly dtype: DType;
}

type Operands = Readonly<Record<string, Operand | undefined>>;

/** What a captured function touches. */
export interface Touched {
  readonly storages: Set<Storage>;
  /** Changed in place, once for each time. */
  readonly changed: Storage[];
  /** Tensors that got gradients. */
  readonly leaves: Set<{ readonly grad: Held | undefined }>;
}

/** Measures tiles beside the work of a device. */
export interface Background {
  /** Notes a plan that has a choice of tiles. */
  add(op: string, planner: Planner, plan: Plan, operands: Readonly<Record<string, Storage>>): void;
  /** Measures for a moment, while the device has nothing to do. */
  slice(): Promise<void>;
  end(): void;
}

/** What the tensors of one device share: the engine, the open scopes, and the counts of seeds and live tensors. */
export class Runtime {
  readonly scopes = new ScopeStack();
  /** Tracked tensors that were made and not yet disposed. */
  liveTensors = 0;
  #seed = 0;
  #tuner: Tuner | undefined;
  #background: Background | undefined;
  readonly #plans = new PlanCache();
  /** What a captured function touches while it is recorded. */
  touched: Touched | undefined;

  constructor(readonly engine: Engine) {}

  get capabilities(): Capabilities {
    return this.engine.capabilities;
  }

  allocate(shape: readonly number[], dtype: DType): Storage {
    if (dtype === "float16" && !this.engine.hasHalves) {
      throw new TensorError({
        code: "unsupported",
        message: `a float16 tensor of shape ${show(shape)} was asked for, but this device has no shader-f16`,
        fix: {
          code: "use float32, or an adapter that `npx fcn doctor` lists with shader-f16",
          command: "leave --precision out, or use an adapter that `npx fcn doctor` lists with shader-f16",
        },
      });
    }
    // Whole words, since copies are made of these.
    const bytes = Math.ceil((elementsOf(shape) * bytesPerElement(dtype)) / 4) * 4;
    return this.engine.allocate("allocate", bytes, shape);
  }

  /**
   * Runs what was planned on tensors by operand name. A call whose arguments change although shapes do not, such as a
   * learning rate, comes as a function.
   */
  run(op: string, call: Planned | (() => Planned), operands: Operands): void {
    const storages: Record<string, Storage> = {};
    const half: string[] = [];
    for (const name in operands) {
      const operand = operands[name];
      if (!operand) continue;
      if (operand.runtime !== this) throw otherDevice(op, operand.shape);
      storages[name] = operand.storage;
      if (operand.dtype === "float16") half.push(name);
      this.touched?.storages.add(operand.storage);
    }
    if (typeof call === "function") this.engine.repeater.each(() => this.#run(op, call(), operands, storages, half));
    else this.#run(op, call, operands, storages, half);
  }

  /** Copies the memory of one tensor to that of another of the same size and dtype. */
  copy(from: Operand, to: Operand): void {
    this.touched?.storages.add(from.storage).add(to.storage);
    this.engine.copy(from.storage, to.storage, from.storage.byteLength);
  }

  /**
   * Does work of the host now, and again whenever a captured function is replayed, but not where kernels are warmed up,
   * which leaves seeds and steps as they are.
   */
  each(run: () => void): void {
    if (!this.engine.isWarming) this.engine.repeater.each(run);
  }

  #run(
    op: string,
    call: Planned,
    operands: Operands,
    storages: Readonly<Record<string, Storage>>,
    half: readonly string[],
  ): void {
    const plan = this.#plans.get(call, this.capabilities, half);
    if (!plan) {
      const shapes = Object.values(operands).flatMap((operand) => (operand ? [show(operand.shape)] : []));
      throw limitExceeded(
        `${op}: operands of shapes ${shapes.join(" ")} have rows larger than the ${this.capabilities.bindingLimit} bytes that one binding can hold`,
        "use a smaller batch or image, or cut the input into tiles",
      );
    }
    const noting = this.#tuner ?? this.#background;
    noting?.add(op, (capabilities) => planFor(call, half, capabilities), plan, storages);
    this.engine.run(op, plan, storages);
  }

  /** The seed and stream of an op's random numbers: from `given`, or else the next seed of the unseeded stream. */
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

  /** Runs `fn`, and frees the tensors that it makes but does not return. */
  collect<T extends readonly (Held | undefined)[]>(fn: () => T): T {
    const frame = this.scopes.open();
    try {
      const result = fn();
      for (const tensor of result) if (tensor) this.scopes.remove(tensor);
      return result;
    } finally {
      this.scopes.close(frame, undefined);
    }
  }

  /** Compiles the kernels that `fn` needs without computing. Frees the tensors that `fn` makes. */
  async warmUp(fn: () => unknown): Promise<void> {
    await this.engine.warmUp(() => {
      const frame = this.scopes.open();
      const close = (): void => this.scopes.close(frame, undefined);
      let result: unknown;
      try {
        result = fn();
      } finally {
        if (!(result instanceof Promise)) close();
      }
      return result instanceof Promise ? result.finally(close) : undefined;
    });
  }

  /**
   * Measures the tiles of the ops of `fn`, and uses the fastest from then on. Returns those that are not the defaults.
   */
  async tune(fn: () => unknown, onProgress: TuningProgress | undefined): Promise<Tuning> {
    // Pages seldom measure.
    const { Tuner } = await import("../device/tuner.js");
    const tuner = new Tuner();
    this.#tuner = tuner;
    await this.warmUp(fn).finally(() => (this.#tuner = undefined));
    const { onIdle } = this.engine;
    this.engine.onIdle = undefined;
    const tuning = await tuner.measure(this.engine, onProgress).finally(() => (this.engine.onIdle = onIdle));
    this.engine.adoptTuning(tuning);
    return tuning;
  }

  /** Has the tiles of what is planned from here on measured beside the work. */
  tuneBeside(background: Background): void {
    this.#background = background;
    this.engine.onIdle = () => background.slice();
    void this.engine.lost.then(() => background.end());
  }
}
