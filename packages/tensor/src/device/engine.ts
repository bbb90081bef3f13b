import type { Capabilities, Plan, Step, Tuning } from "@fcn/kernels";
import { FAULT_WORDS, finiteCheck, flatWindows, packParams, poison } from "@fcn/kernels";
import { TensorError } from "../errors.js";
import type { DeviceInfo } from "./adapter.js";
import { Binder, checkApart } from "./bindings.js";
import { type MemoryReport, USAGE } from "./buffers.js";
import { type BufferRange, CommandRecorder } from "./commands.js";
import { deviceLost } from "./errors.js";
import { Failures } from "./failures.js";
import { faultError } from "./faults.js";
import { LARGE, Memory } from "./memory.js";
import { PipelineCache } from "./pipelines.js";
import type { Simulation } from "./simulate.js";
import type { Storage } from "./storage.js";
import { Transfers } from "./transfers.js";

export interface EngineOptions {
  /** Bytes of idle buffers to keep at most. Default 1 GiB. */
  readonly poolBytes: number;
  /** Check every result for NaN and infinity; the next read throws an error that names the op. */
  readonly nanCheck: boolean;
  /** Fill every buffer with NaN before it is used again. */
  readonly poison: boolean;
  /** Largest binding to use, below the adapter's limit: for tests of windows. */
  readonly bindingLimit: number | undefined;
  /** Tiles that were measured on this device. */
  readonly tuning: Tuning | undefined;
  /** A fault on purpose, for tests. */
  readonly simulation: Simulation | undefined;
}

/** Batches in flight above which `throttle` waits: a longer queue makes every batch slower. */
const MAX_IN_FLIGHT = 3;

/** Carries out plans on one GPU device. The only part of the library, with its neighbours here, that calls WebGPU. */
export class Engine {
  readonly lost: Promise<TensorError>;
  readonly #memory: Memory;
  readonly #pipelines: PipelineCache;
  readonly #failures: Failures;
  readonly #commands: CommandRecorder;
  readonly #transfers: Transfers;
  readonly #fault: GPUBuffer;
  readonly #binder: Binder;
  readonly #opNames: string[] = [];
  #lostError: TensorError | undefined;
  #warming: { kernel: Step["kernel"]; constants: NonNullable<Step["constants"]> }[] | undefined;
  #capabilities: Capabilities;

  constructor(
    readonly device: GPUDevice,
    readonly info: DeviceInfo,
    readonly options: EngineOptions,
  ) {
    const limit = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
    const fixedSubgroup =
      device.features.has("subgroups" as GPUFeatureName) && info.subgroupMinSize === info.subgroupMaxSize;
    this.#capabilities = {
      subgroupSize: fixedSubgroup ? info.subgroupMaxSize : 0,
      bindingLimit: Math.min(limit, options.bindingLimit ?? limit),
      parallelism: info.software ? 32 : 1024,
      tuning: options.tuning,
    };
    this.#failures = new Failures(device);
    this.#commands = new CommandRecorder(device, this.#failures, options.simulation);
    this.#pipelines = new PipelineCache(device, (error) => this.#failures.record(error));
    this.#memory = new Memory(device, info, this.#failures, this.#commands, options.poolBytes, options.simulation);
    this.#fault = device.createBuffer({
      label: "fault",
      size: 256,
      usage: USAGE.storage | USAGE.copySrc | USAGE.copyDst,
    });
    this.#binder = new Binder(device, this.#commands, this.#fault, this.capabilities.bindingLimit, (op, bytes) =>
      this.allocate(op, bytes),
    );
    this.lost = device.lost.then(({ message, reason }) => {
      this.#lostError ??= deviceLost(message || reason);
      return this.#lostError;
    });
    this.#transfers = new Transfers(device, this.#commands, this.#failures, this.#fault, this.lost);
    device.addEventListener("uncapturederror", (event) =>
      this.#failures.record(new Error((event as GPUUncapturedErrorEvent).error.message)),
    );
  }

  get capabilities(): Capabilities {
    return this.#capabilities;
  }

  /** Adds tiles that were measured; plans made from here on use them. */
  adoptTuning(tuning: Tuning): void {
    this.#capabilities = { ...this.#capabilities, tuning: { ...this.#capabilities.tuning, ...tuning } };
  }

  memory(liveTensors: number): MemoryReport {
    return this.#memory.report(liveTensors);
  }

  resetPeak(): void {
    this.#memory.resetPeak();
  }

  assertUsable(op: string): void {
    if (!this.#lostError) return;
    throw new TensorError({
      code: this.#lostError.code,
      message: `${op}: ${this.#lostError.message}`,
      fix: this.#lostError.fix,
    });
  }

  /**
   * Memory for a tensor of `shape`, or for an op's own use. Where the GPU refuses it the next awaited call rejects with `out-of-memory`, and so
   * does every use. Throws it at once where the host's memory, which a software adapter uses, cannot hold it.
   */
  allocate(op: string, byteLength: number, shape?: readonly number[]): Storage {
    this.assertUsable(op);
    const storage = this.#memory.allocate({ op, byteLength, shape });
    if (this.options.poison && !this.#warming) this.#apart([storage], () => this.#poison(storage));
    return storage;
  }

  #poison({ blocks }: Storage): void {
    for (const { buffer, size } of blocks) {
      for (const { begin, end } of flatWindows(size / 4, this.capabilities)) {
        this.#dispatch("poison", poison(end - begin), () => ({ buffer, offset: begin * 4, size: (end - begin) * 4 }));
      }
    }
  }

  /** Records work on large memory that the GPU may yet refuse in a batch of its own, so that no other work is lost with it. */
  #apart(storages: readonly Storage[], record: () => void): void {
    const isRisky = storages.some(({ byteLength, pending }) => byteLength >= LARGE && pending);
    if (isRisky) this.#commands.flush();
    record();
    if (isRisky) this.#commands.flush();
  }

  /** Records the plan. Operands are storages by name; scratch comes from the pool and goes back at once. */
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

  /** Checks the floats of a result, in debug mode. */
  checkFinite(op: string, result: Storage): void {
    if (!this.options.nanCheck || this.#warming) return;
    this.#opNames.push(op);
    const limit = Math.floor(this.capabilities.bindingLimit / 256) * 256;
    for (let at = 0; at < result.byteLength; at += limit) {
      const byteLength = Math.min(limit, result.byteLength - at);
      const step = finiteCheck(byteLength / 4, at / 4, this.#opNames.length - 1);
      const operands = { ...step.operands, x: { operand: "x", byteOffset: at, byteLength } };
      this.#apart([result], () => this.#step(op, { ...step, operands }, { x: result }));
    }
  }

  write(storage: Storage, data: ArrayBufferView): void {
    // A queue write precedes all recorded commands, which may still use this memory (or be about to poison it).
    if (this.options.poison || storage.blocks.some((block) => block.releasedIn === this.#commands.batch))
      this.#commands.flush();
    const endWatch = storage.pending ? this.#failures.watch() : undefined;
    for (const { block, offset, length, at } of storage.parts(0, data.byteLength)) {
      this.device.queue.writeBuffer(block.buffer, offset, data.buffer as ArrayBuffer, data.byteOffset + at, length);
    }
    endWatch?.();
  }

  copy(from: Storage, to: Storage, bytes: number): void {
    // The source holds what warming up did not compute.
    if (this.#warming) return;
    this.#apart([from, to], () => {
      for (const part of from.parts(0, Math.ceil(bytes / 4) * 4)) {
        for (const target of to.parts(part.at, part.at + part.length)) {
          const source = part.offset + target.at - part.at;
          this.#commands.copy(part.block.buffer, source, target.block.buffer, target.offset, target.length);
        }
      }
    });
  }

  /** The bytes of a storage. Rejects with what went wrong since the last awaited call. */
  async read(op: string, storage: Storage): Promise<ArrayBuffer> {
    this.assertUsable(op);
    this.#failures.throwFirst();
    const { bytes, fault } = await this.#transfers.read(storage).finally(() => this.#settle());
    await this.#checkFault(fault);
    return bytes;
  }

  /** Waits until all recorded work is done. */
  async sync(): Promise<void> {
    this.assertUsable("sync");
    this.#failures.throwFirst();
    this.#commands.flush();
    const lost = await Promise.race([this.device.queue.onSubmittedWorkDone(), this.lost]);
    if (lost) throw lost;
    await this.#settle();
  }

  /** Waits for the news of all that was submitted, and throws the first bad one. */
  async #settle(): Promise<void> {
    if (this.#lostError) return;
    await this.#failures.settle();
    this.#failures.throwFirst();
  }

  /** Waits only when too many batches are queued. */
  async throttle(): Promise<void> {
    this.#commands.flush();
    if (this.#commands.inFlight > MAX_IN_FLIGHT) await this.sync();
  }

  /** Compiles, without blocking, all kernels that `fn` would dispatch. Nothing is computed. */
  async warmUp(fn: () => unknown): Promise<void> {
    this.#warming = [];
    let wanted: { kernel: Step["kernel"]; constants: NonNullable<Step["constants"]> }[];
    try {
      await fn();
    } finally {
      wanted = this.#warming ?? [];
      this.#warming = undefined;
    }
    await Promise.all(wanted.map(({ kernel, constants }) => this.#pipelines.warm(kernel, constants)));
  }

  /** Compiles the kernels of a plan without blocking. */
  async warm({ steps }: Plan): Promise<void> {
    await Promise.all(steps.map(({ kernel, constants = {} }) => this.#pipelines.warm(kernel, constants)));
  }

  trim(bytes: number): void {
    this.#memory.trim(bytes);
  }

  destroy(): void {
    this.#lostError ??= deviceLost("destroy() was called");
    this.#commands.destroy();
    this.device.destroy();
  }

  get alive(): boolean {
    return this.#lostError === undefined;
  }

  async #checkFault(words: Int32Array): Promise<void> {
    const error = faultError(words, this.#opNames);
    if (error) {
      this.device.queue.writeBuffer(this.#fault, 0, new Int32Array(FAULT_WORDS));
      throw error;
    }
    this.#failures.throwFirst();
  }

  #step(op: string, step: Step, operands: Readonly<Record<string, Storage>>): void {
    const after: (() => void)[] = [];
    this.#dispatch(op, step, (name, access) => this.#binder.bind(op, step, name, access, operands, after));
    for (const action of after) action();
  }

  #dispatch(op: string, step: Step, bind: (name: string, access: string) => BufferRange): void {
    const constants = step.constants ?? {};
    if (this.#warming) {
      this.#warming.push({ kernel: step.kernel, constants });
      return;
    }
    const pipeline = this.#pipelines.get(step.kernel, constants);
    const bindings = pipeline.info.bindings.map(({ name, access }) => bind(name, access));
    checkApart(op, pipeline.info.bindings, bindings);
    this.#commands.dispatch(pipeline, bindings, step.grid, (view, offset) =>
      packParams(pipeline.info, step.params, view, offset),
    );
  }
}
