import type { Capabilities, Plan, Step, Tuning } from "@fcn/kernels";
import { FAULT_WORDS, finiteCheck, flatRanges, poison } from "@fcn/kernels";
import { TensorError } from "../plain/errors.js";
import { type DeviceInfo, HALVES } from "./adapter.js";
import { Binder, checkApart } from "./bindings.js";
import { type BufferRange, USAGE } from "./buffers.js";
import { type CapabilityOptions, chosenFor } from "./capabilities.js";
import { CommandRecorder } from "./commands.js";
import { Failures } from "./failures.js";
import { faultError } from "./faults.js";
import { GuardedDevice } from "./guarded.js";
import { LARGE, Memory } from "./memory.js";
import { PipelineCache, type Specialized } from "./pipelines.js";
import { Repeater } from "./repeater.js";
import type { Simulation } from "./simulate.js";
import type { Storage } from "./storage.js";
import { Transfers } from "./transfers.js";

export interface EngineOptions extends CapabilityOptions {
  /** The most bytes of idle buffers to keep. Default 1 GiB. */
  readonly poolBytes: number;
  /** Check every result for NaN and infinity; the next read throws an error that names the op. */
  readonly nanCheck: boolean;
  /** Fill every buffer with NaN before it is used again. */
  readonly poison: boolean;
  /** A simulated fault, for tests. */
  readonly simulation: Simulation | undefined;
}

/** `throttle` waits above this number of batches in flight, since a longer queue makes every batch slower. */
const MAX_IN_FLIGHT = 3;

/** The most bytes per write: browsers and drivers copy each write as a whole, and may lack room for a large copy. */
const UPLOAD = 32 * 1024 * 1024;

/** Runs plans on one GPU device. Only this class and its neighbours in this folder call WebGPU. */
export class Engine {
  readonly lost: Promise<TensorError>;
  readonly gpu: GuardedDevice;
  readonly memory: Memory;
  readonly repeater: Repeater;
  readonly #pipelines: PipelineCache;
  readonly failures: Failures;
  readonly commands: CommandRecorder;
  readonly #transfers: Transfers;
  readonly #fault: GPUBuffer;
  readonly #binder: Binder;
  readonly #opNames: string[] = [];
  /** The steps that a warm-up would have dispatched. */
  #warming: Specialized[] | undefined;
  #capabilities: Capabilities;
  isDestroyed = false;
  /** Whether kernels may read and write halves. */
  readonly hasHalves: boolean;
  /** Uses the time when all work is done, before whoever waited for it goes on. Never rejects. */
  onIdle: (() => Promise<void>) | undefined;
  /** Whether captured work is replayed; turned off to compare. */
  repeats = true;

  constructor(
    device: GPUDevice,
    readonly info: DeviceInfo,
    readonly options: EngineOptions,
  ) {
    const { capabilities, lanes, bufferLimit } = chosenFor(device, info, options);
    this.#capabilities = capabilities;
    this.hasHalves = device.features.has(HALVES);
    this.gpu = new GuardedDevice(device, options.simulation);
    this.lost = this.gpu.lost;
    this.failures = new Failures(this.gpu);
    this.commands = new CommandRecorder(this.gpu, this.failures);
    this.#pipelines = new PipelineCache(this.gpu, lanes, (error) => this.failures.record(error));
    this.memory = new Memory(
      this.gpu,
      info,
      this.failures,
      this.commands,
      bufferLimit,
      options.poolBytes,
      options.simulation,
    );
    this.repeater = new Repeater(this.commands, this.memory);
    this.#fault = this.gpu.createBuffer({
      label: "fault",
      size: 256,
      usage: USAGE.storage | USAGE.copySrc | USAGE.copyDst,
    });
    this.#binder = new Binder(this.gpu, this.commands, this.#fault, this.capabilities.bindingLimit, (op, bytes) =>
      this.allocate(op, bytes),
    );
    this.#transfers = new Transfers(this.gpu, this.commands, this.failures, this.#fault, bufferLimit);
    device.addEventListener("uncapturederror", (event) =>
      this.failures.record(new Error((event as GPUUncapturedErrorEvent).error.message)),
    );
  }

  get limits(): GPUSupportedLimits {
    return this.gpu.limits;
  }

  get capabilities(): Capabilities {
    return this.#capabilities;
  }

  /** Adds measured tiles, for the plans made from here on. */
  adoptTuning(tuning: Tuning): void {
    this.#capabilities = { ...this.#capabilities, tuning: { ...this.#capabilities.tuning, ...tuning } };
  }

  assertUsable(op: string): void {
    const { lostError } = this.gpu;
    if (!lostError) return;
    const { code, message, fix } = lostError;
    throw new TensorError({ code, message: `${op}: ${message}`, fix });
  }

  /**
   * Memory for a tensor of `shape`, or for an op's own use. If the GPU refuses it, every use and the next awaited call
   * fail with `out-of-memory`. A software adapter uses the host's memory; if that is too small, this throws at once.
   */
  allocate(op: string, byteLength: number, shape?: readonly number[]): Storage {
    this.assertUsable(op);
    const storage = this.memory.allocate({ op, byteLength, shape });
    if (this.options.poison && !this.#warming) this.#apart([storage], () => this.#poison(storage));
    return storage;
  }

  #poison({ blocks }: Storage): void {
    for (const { buffer, size } of blocks) {
      for (const { begin, end } of flatRanges(size / 4, this.capabilities)) {
        this.#dispatch("poison", poison(end - begin), () => ({ buffer, offset: begin * 4, size: (end - begin) * 4 }));
      }
    }
  }

  /** Records work on memory that the GPU may still refuse in its own batch, so that a refusal loses no other work. */
  #apart(storages: readonly Storage[], record: () => void): void {
    const isRisky = storages.some(({ byteLength, pending }) => byteLength >= LARGE && pending);
    if (isRisky) this.commands.flush();
    record();
    if (isRisky) this.commands.flush();
  }

  /** Records a plan. Operands are storages by name. Scratch memory comes from the pool and returns to it at once. */
  run(op: string, plan: Plan, operands: Readonly<Record<string, Storage>>): void {
    this.assertUsable(op);
    const all: Record<string, Storage> = { ...operands };
    const scratch = Object.entries(plan.scratch ?? {}).map(([name, bytes]) => {
      all[name] = this.allocate(op, bytes);
      return all[name];
    });
    const used = Object.values(all);
    for (const storage of used) storage.op ??= op;
    try {
      this.#apart(used, () => {
        for (const step of plan.steps) this.#step(op, step, all);
      });
    } finally {
      for (const storage of scratch) storage.release();
    }
  }

  /** In debug mode, checks the floats of a result, or its halves. */
  checkFinite(op: string, result: Storage, isHalf: boolean): void {
    if (!this.options.nanCheck || this.#warming) return;
    this.#opNames.push(op);
    const limit = Math.floor(this.capabilities.bindingLimit / 256) * 256;
    for (let at = 0; at < result.byteLength; at += limit) {
      const byteLength = Math.min(limit, result.byteLength - at);
      const [count, base] = [byteLength, at].map((bytes) => bytes / (isHalf ? 2 : 4)) as [number, number];
      const step = finiteCheck(count, base, this.#opNames.length - 1, isHalf);
      const operands = { ...step.operands, x: { operand: "x", byteOffset: at, byteLength } };
      this.#apart([result], () => this.#step(op, { ...step, operands }, { x: result }));
    }
  }

  get isWarming(): boolean {
    return this.#warming !== undefined;
  }

  /** Whether each run must do work of its own: when it only compiles, or checks and poisons memory for a debugger. */
  get isUnrepeatable(): boolean {
    return !this.repeats || this.isWarming || this.options.nanCheck || this.options.poison;
  }

  write(storage: Storage, data: ArrayBufferView): void {
    this.repeater.assertRepeatable("it makes a tensor from values of the host");
    // A queue write runs before all recorded commands, which may still use this memory (or be about to poison it).
    if (this.options.poison || storage.blocks.some((block) => block.releasedIn === this.commands.batch))
      this.commands.flush();
    const endWatch = storage.pending ? this.failures.watch() : undefined;
    for (const { block, offset, length, at } of storage.parts(0, data.byteLength)) {
      for (let done = 0; done < length; done += UPLOAD) {
        const begin = data.byteOffset + at + done;
        const bytes = Math.min(UPLOAD, length - done);
        const source = data.buffer as ArrayBuffer;
        this.gpu.call(({ queue }) => queue.writeBuffer(block.buffer, offset + done, source, begin, bytes));
      }
    }
    endWatch?.();
  }

  copy(from: Storage, to: Storage, bytes: number): void {
    // During warm-up the source holds no computed values.
    if (this.#warming) return;
    this.#apart([from, to], () => {
      for (const part of from.parts(0, Math.ceil(bytes / 4) * 4)) {
        for (const target of to.parts(part.at, part.at + part.length)) {
          const source = part.offset + target.at - part.at;
          this.commands.copy(part.block.buffer, source, target.block.buffer, target.offset, target.length);
        }
      }
    });
  }

  /** Reads the bytes of a storage. Rejects with the first error since the last awaited call. */
  async read(op: string, storage: Storage): Promise<ArrayBuffer> {
    this.repeater.assertRepeatable(`it reads a tensor (${op})`);
    this.assertUsable(op);
    this.failures.throwFirst();
    const { bytes, fault } = await this.#transfers.read(storage).finally(() => this.#settle());
    await this.#checkFault(fault);
    return bytes;
  }

  async sync(): Promise<void> {
    this.assertUsable("sync");
    this.failures.throwFirst();
    this.commands.flush();
    await this.gpu.wait(({ queue }) => queue.onSubmittedWorkDone());
    await this.#settle();
  }

  /** Waits for the outcome of all submitted work, and throws the first error. The device is idle then. */
  async #settle(): Promise<void> {
    await this.failures.settle();
    this.failures.throwFirst();
    await this.onIdle?.();
  }

  /** Waits only if too many batches are queued. */
  async throttle(op = "scope"): Promise<void> {
    this.assertUsable(op);
    this.commands.flush();
    if (this.gpu.inFlight > MAX_IN_FLIGHT) await this.sync();
  }

  /**
   * Compiles all kernels that `fn` would dispatch, without blocking and without computing. `fn` returns a promise if it
   * is asynchronous.
   */
  async warmUp(fn: () => Promise<unknown> | undefined): Promise<void> {
    this.assertUsable("warmUp");
    const steps: Specialized[] = [];
    this.#warming = steps;
    try {
      // Other work of the device may go on in the next turn.
      const running = fn();
      if (running) await running;
    } finally {
      this.#warming = undefined;
    }
    await this.warm({ steps });
  }

  async warm({ steps }: { readonly steps: readonly Specialized[] }): Promise<void> {
    await Promise.all(steps.map((step) => this.#pipelines.warm(step)));
  }

  destroy(): void {
    this.isDestroyed = true;
    this.commands.destroy();
    this.gpu.destroy();
  }

  async #checkFault(words: Int32Array): Promise<void> {
    const error = faultError(words, this.#opNames);
    if (error) {
      this.gpu.call(({ queue }) => queue.writeBuffer(this.#fault, 0, new Int32Array(FAULT_WORDS)));
      throw error;
    }
    this.failures.throwFirst();
  }

  #step(op: string, step: Step, operands: Readonly<Record<string, Storage>>): void {
    const after: (() => void)[] = [];
    this.#dispatch(op, step, (name, access) => this.#binder.bind(op, step, name, access, operands, after));
    for (const action of after) action();
  }

  #dispatch(op: string, step: Step, bind: (name: string, access: string) => BufferRange): void {
    if (this.#warming) {
      this.#warming.push(step);
      return;
    }
    const prepared = this.#pipelines.prepare(step);
    const { bindings } = prepared.pipeline.info;
    const ranges = bindings.map(({ name, access }) => bind(name, access));
    checkApart(op, bindings, ranges);
    this.commands.dispatch(prepared, ranges, step.grid);
  }
}
