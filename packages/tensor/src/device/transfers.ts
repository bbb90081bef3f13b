import { FAULT_WORDS } from "@fcn/kernels";
import { sizeClass, USAGE } from "./buffers.js";
import type { CommandRecorder } from "./commands.js";
import { type MemoryRequest, outOfMemory } from "./errors.js";
import type { Failures } from "./failures.js";
import type { GuardedDevice } from "./guarded.js";
import { LARGE } from "./memory.js";
import type { Storage } from "./storage.js";

const MAP_READ = 1;
const IDLE_STAGING = 4;
const FAULT_BYTES = FAULT_WORDS * 4;

interface Staging {
  readonly buffer: GPUBuffer;
  readonly size: number;
  pending: boolean;
  refusal: string | undefined;
}

/** Reads from the GPU through a few reused staging buffers. Every read also fetches the fault record. */
export class Transfers {
  readonly #idle: Staging[] = [];

  constructor(
    private readonly gpu: GuardedDevice,
    private readonly commands: CommandRecorder,
    private readonly failures: Failures,
    private readonly fault: GPUBuffer,
    private readonly bufferLimit: number,
  ) {}

  async read(storage: Storage): Promise<{ bytes: ArrayBuffer; fault: Int32Array }> {
    const result = hostBytes({ op: "data", shape: storage.shape, byteLength: Math.ceil(storage.byteLength / 4) * 4 });
    if (storage.byteLength >= LARGE) this.commands.flush();
    let fault = new Int32Array(FAULT_WORDS);
    // All copies are recorded before the first await, so that later changes do not affect them.
    const pending = storage.parts(0, result.byteLength).map(({ block, offset, length, at }) => {
      const staging = this.#take(length + FAULT_BYTES);
      this.commands.copy(block.buffer, offset, staging.buffer, 0, length);
      this.commands.copy(this.fault, 0, staging.buffer, length, FAULT_BYTES);
      return { staging, length, at };
    });
    this.commands.flush();
    await Promise.all(
      pending.map(async ({ staging, length, at }) => {
        await this.#map(staging).catch((error: Error) => this.#throwUnmapped(storage, staging, error));
        this.gpu.call(() => {
          const mapped = new Uint8Array(staging.buffer.getMappedRange());
          result.set(mapped.subarray(0, length), at);
          fault = new Int32Array(mapped.slice(length, length + FAULT_BYTES).buffer);
          staging.buffer.unmap();
        });
        this.#give(staging);
      }),
    );
    const { buffer } = result;
    return { bytes: buffer.byteLength === storage.byteLength ? buffer : buffer.slice(0, storage.byteLength), fault };
  }

  #map({ buffer, pending }: Staging): Promise<undefined> {
    return this.gpu.wait(() => {
      const endWatch = pending ? this.failures.watch() : undefined;
      const mapped = buffer.mapAsync(MAP_READ);
      endWatch?.();
      return mapped;
    });
  }

  async #throwUnmapped({ shape, byteLength }: Storage, staging: Staging, error: Error): Promise<never> {
    await this.failures.settle();
    if (staging.refusal === undefined) throw this.gpu.translate(error);
    throw outOfMemory({ op: "data", shape, byteLength }, staging.refusal);
  }

  #take(bytes: number): Staging {
    const index = this.#idle.findIndex(({ size }) => size >= bytes && size <= Math.max(4096, bytes * 4));
    if (index >= 0) return this.#idle.splice(index, 1)[0]!;
    const size = sizeClass(bytes);
    const fits = size <= this.bufferLimit ? size : Math.ceil(bytes / 16) * 16;
    const staging = { size: fits, pending: true, refusal: undefined as string | undefined };
    const buffer = this.failures.createBuffer({ size: fits, usage: USAGE.mapRead | USAGE.copyDst }, (refusal) => {
      Object.assign(staging, { pending: false, refusal });
    });
    return Object.assign(staging, { buffer });
  }

  #give(staging: Staging): void {
    this.#idle.push(staging);
    if (this.#idle.length <= IDLE_STAGING) return;
    const { buffer, size } = this.#idle.shift()!;
    this.gpu.destroyBuffer(buffer, size);
  }
}

function hostBytes(request: MemoryRequest): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(request.byteLength);
  } catch (error) {
    throw outOfMemory(request, `no array of this size on the host (${(error as Error).message})`);
  }
}
