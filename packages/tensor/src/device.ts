import { type Capabilities, type Plan, planFill, planRandom, type Tuning, wordBits } from "@fcn/kernels";
import { assignTensor, assignValues } from "./assign.js";
import { type DeviceInfo, readLimits } from "./device/adapter.js";
import type { MemoryReport } from "./device/buffers.js";
import type { Engine } from "./device/engine.js";
import type { Storage } from "./device/storage.js";
import { type Planner, Tuner, type TuningProgress } from "./device/tuner.js";
import { invalidArgument, invalidShape, otherDevice, show, TensorError } from "./errors.js";
import { checkInt32, hostValues } from "./hostValues.js";
import { identityOrder } from "./layout.js";
import {
  checkElements,
  checkMake,
  checkRandom,
  type Distribution,
  type MakeOptions,
  type RandomOptions,
} from "./makeOptions.js";
import { checkNested, flatten, type TensorData } from "./nested.js";
import { type Scope, ScopeStack } from "./scope.js";
import { elementsOf } from "./shape.js";
import { Tensor } from "./tensor.js";

/** The stream of random numbers that were given no seed; seeded ones are in stream 0, masks of dropout in 1. */
const UNSEEDED = 2;

/** A GPU and the tensors on it. */
export class Device {
  /** Resolves with the reason when the device is lost or destroyed. */
  readonly lost: Promise<TensorError>;
  readonly #engine: Engine;
  readonly #scopes = new ScopeStack();
  #liveTensors = 0;
  #seed = 0;
  #tuner: Tuner | undefined;

  private constructor(engine: Engine) {
    this.#engine = engine;
    this.lost = engine.lost;
  }

  /** @internal Devices are made by {@link createDevice}. */
  static on(engine: Engine): Device {
    return new Device(engine);
  }

  get info(): DeviceInfo {
    return this.#engine.info;
  }

  get limits(): Record<string, number> {
    return readLimits(this.#engine.limits);
  }

  /** What the choice of kernels and tiles goes by. */
  get capabilities(): Capabilities {
    return this.#engine.capabilities;
  }

  /** Live tensors, and bytes allocated by them and by ops and reserved on the GPU, each with its peak. */
  memory(): MemoryReport {
    return this.#engine.memory(this.#liveTensors);
  }

  /** Counts the peaks of `memory()`, allocated and reserved, from here on (torch.cuda.reset_peak_memory_stats). */
  resetPeakMemory(): void {
    this.#engine.resetPeak();
  }

  /**
   * A tensor with host data: numbers in row-major order, by default of shape [length], or nested as `array()` gives them, which
   * have a shape of their own (torch.tensor). Throws when the length does not match the shape.
   */
  tensor(data: TensorData, shape?: readonly number[], options: MakeOptions = {}): Tensor {
    const { dtype = "float32" } = options;
    const { values: flat, shape: own } = flatten("tensor", data);
    const wanted = shape ?? own;
    checkMake("tensor", wanted, options);
    checkNested("tensor", data, own, wanted);
    if (flat.length !== elementsOf(wanted)) {
      throw invalidShape(
        `tensor: ${flat.length} values for shape ${show(wanted)}, which holds ${elementsOf(wanted)}`,
        "pass as many values as the product of the sizes",
      );
    }
    const values = hostValues("tensor", flat, dtype, this.#engine.options.nanCheck);
    const made = this.#make(wanted, options);
    if (options.order) this.assign(made, values);
    else this.#engine.write(made.storage, values);
    return made;
  }

  /** A tensor of zeros (torch.zeros). */
  zeros(shape: readonly number[], options: MakeOptions = {}): Tensor {
    return this.#filled("zeros", shape, 0, options);
  }

  /** A tensor of ones (torch.ones). */
  ones(shape: readonly number[], options: MakeOptions = {}): Tensor {
    return this.#filled("ones", shape, 1, options);
  }

  /** A tensor whose elements all are `value` (torch.full). */
  full(shape: readonly number[], value: number, options: MakeOptions = {}): Tensor {
    if (typeof value !== "number") throw invalidArgument(`full: value is ${String(value)}`, "pass a number");
    if (options?.dtype === "int32") checkInt32("full", "value", value);
    return this.#filled("full", shape, value, options);
  }

  /** Standard normal numbers (torch.randn), float32. The same seed gives the same values on a device. */
  randn(shape: readonly number[], options: RandomOptions = {}): Tensor {
    return this.#random("randn", shape, { mode: "normal", a: 0, b: 1 }, options);
  }

  /** Uniform numbers in [low, high), by default [0, 1) (torch.rand), float32. The same seed gives the same values on a device. */
  rand(
    shape: readonly number[],
    options: RandomOptions & { readonly low?: number; readonly high?: number } = {},
  ): Tensor {
    const { low = 0, high = 1, ...rest } = options;
    return this.#random("rand", shape, { mode: "uniform", a: low, b: high }, rest);
  }

  /**
   * Runs `fn` and frees every tensor made on this device meanwhile, but for those that it returns (in arrays or plain
   * objects too) or hands to `keep`. Works across await; scopes may nest but not overlap: then
   * one of them rejects with `scope-overlap`, at its end or where it uses what the other freed.
   */
  async scope<T>(fn: (scope: Scope) => T | Promise<T>): Promise<T> {
    const frame = this.#scopes.open();
    let result: T | undefined;
    try {
      result = await this.#scopes.run(frame, () => fn(frame));
    } finally {
      this.#scopes.close(frame, result);
    }
    if (!this.#engine.isDestroyed) await this.#engine.throttle();
    return result as T;
  }

  /** Waits until all work that was asked for is done. Rejects with what went wrong, if anything. */
  sync(): Promise<void> {
    return this.#engine.sync();
  }

  /** Compiles the kernels that `fn` would need without blocking the thread; nothing is computed. `fn` must not read. */
  async warmUp(fn: () => unknown): Promise<void> {
    const frame = this.#scopes.open();
    try {
      await this.#scopes.run(frame, () => this.#engine.warmUp(fn));
    } finally {
      this.#scopes.close(frame, undefined);
    }
  }

  /**
   * Measures which tiles are fastest here for the ops of `fn`, such as a training step, and uses them from then on. `fn` runs without
   * computing, so it must not read. Answers the tiles that differ from the rules', for `createDevice({ tuning })`. Last bits depend on tiles.
   */
  async tune(fn: () => unknown, options: { readonly onProgress?: TuningProgress } = {}): Promise<Tuning> {
    const tuner = new Tuner();
    this.#tuner = tuner;
    await this.warmUp(fn).finally(() => (this.#tuner = undefined));
    const tuning = await tuner.measure(this.#engine, options.onProgress);
    this.#engine.adoptTuning(tuning);
    return tuning;
  }

  /** Gives free GPU memory back to the system until at most `bytes`, by default none, are kept for reuse. */
  trim(bytes = 0): void {
    this.#engine.trim(bytes);
  }

  /** Ends the device: pending reads reject, and Node may exit. */
  destroy(): void {
    this.#engine.destroy();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  /** @internal An uninitialised tensor. */
  empty(shape: readonly number[], options: MakeOptions = {}): Tensor {
    return this.#make(shape, options);
  }

  /** @internal Carries out a plan on tensors by operand name. One that has a choice of tiles comes as a function, to be tuned. */
  run(op: string, planned: Planner | Plan | undefined, operands: Readonly<Record<string, Tensor | undefined>>): void {
    const plan = typeof planned === "function" ? planned(this.capabilities) : planned;
    const storages: Record<string, Storage> = {};
    for (const [name, tensor] of Object.entries(operands)) {
      if (!tensor) continue;
      if (tensor.device !== this) throw otherDevice(op, tensor.shape);
      storages[name] = tensor.storage;
    }
    if (!plan) {
      const shapes = Object.values(operands).flatMap((tensor) => (tensor ? [show(tensor.shape)] : []));
      throw new TensorError({
        code: "limit-exceeded",
        message: `${op}: operands of shapes ${shapes.join(" ")} have rows larger than the ${this.capabilities.bindingLimit} bytes that one binding can show`,
        fix: "use a smaller batch or image, or cut the input into tiles",
      });
    }
    if (typeof planned === "function") this.#tuner?.add(op, planned, plan.tunable, storages);
    this.#engine.run(op, plan, storages);
  }

  /** @internal The seed and stream of an op's random numbers: those of `given`, or else the next that no given seed has. */
  seedFrom(op: string, given: number | undefined, stream = 0): { seed: number; stream: number } {
    if (given === undefined) return { seed: this.#seed++, stream: UNSEEDED };
    if (Number.isInteger(given) && given >= 0 && given < 2 ** 53) return { seed: given, stream };
    throw invalidArgument(`${op}: seed is ${given}`, "pass a whole number from 0 to 2^53 - 1");
  }

  /** @internal Tests a result in debug mode. */
  checked(op: string, result: Tensor): void {
    if (result.dtype === "float32") this.#engine.checkFinite(op, result.storage);
  }

  /** @internal */
  checkUsable(op: string): void {
    this.#engine.assertUsable(op);
  }

  /** @internal */
  read(dense: Tensor): Promise<ArrayBuffer> {
    return this.#engine.read("data", dense.storage);
  }

  /** @internal */
  assign(target: Tensor, source: Tensor | ArrayLike<number>): void {
    if (!isTensor(source)) {
      assignValues(this.#engine, target, source);
      return;
    }
    if (source.device !== this) throw otherDevice("assign", source.shape);
    assignTensor(this.#engine, target, source);
  }

  /** @internal Runs `fn` and frees the tensors that it makes but does not return. */
  collect<T>(fn: () => T): T {
    const frame = this.#scopes.open();
    let result: T | undefined;
    try {
      result = this.#scopes.run(frame, fn);
    } finally {
      const returned = Array.isArray(result) ? result : [];
      for (const tensor of returned) if (tensor) this.release(tensor as Tensor);
      this.#scopes.close(frame, undefined);
    }
    return result as T;
  }

  /** @internal Gives a tensor to the open scope, if there is one. */
  adopt(tensor: Tensor): void {
    this.#scopes.add(tensor);
  }

  /** @internal The error for the use of a disposed tensor, which `what` names. */
  disposedError(tensor: Tensor, what: string): TensorError {
    return this.#scopes.disposed(tensor, what);
  }

  /** @internal Takes a tensor out of every scope. */
  release(tensor: Tensor): void {
    this.#scopes.remove(tensor);
  }

  /** @internal */
  track(tensor: Tensor): void {
    this.#liveTensors++;
    this.#scopes.add(tensor);
  }

  /** @internal */
  untrack(tensor: Tensor): void {
    this.#liveTensors--;
    this.#scopes.remove(tensor);
  }

  #make(shape: readonly number[], options: MakeOptions): Tensor {
    const { dtype = "float32", order = identityOrder(shape.length), tracked = true, requiresGrad = false } = options;
    checkElements("allocate", shape);
    const storage = this.#engine.allocate("allocate", elementsOf(shape) * 4, shape);
    return Tensor.on(this, storage, [...shape], { dtype, order, requiresGrad, tracked });
  }

  #filled(op: string, shape: readonly number[], value: number, options: MakeOptions): Tensor {
    checkMake(op, shape, options);
    const out = this.#make(shape, options);
    this.run(op, planFill(out.size, wordBits(value, out.dtype), this.capabilities), { y: out });
    return out;
  }

  #random(op: string, shape: readonly number[], distribution: Distribution, o: RandomOptions): Tensor {
    const { seed: given, order, ...rest } = o;
    checkRandom(op, shape, distribution, o);
    const key = this.seedFrom(op, given);
    // The stream is numbered in row-major order, whatever order the tensor is stored in.
    const made = this.#make(shape, rest);
    this.run(op, planRandom({ ...distribution, count: made.size, ...key }, this.capabilities), { y: made });
    if (!order || made.isStoredIn(order)) return made;
    const stored = this.#make(shape, { ...rest, order });
    this.assign(stored, made);
    made.dispose();
    return stored;
  }
}

const isTensor = (value: object): value is Tensor => value instanceof Tensor;
