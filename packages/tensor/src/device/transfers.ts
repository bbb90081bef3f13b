import { USAGE } from "./buffers.js";
import type { CommandRecorder } from "./commands.js";
import type { TensorError } from "./errors.js";
import { FAULT_WORDS } from "./faults.js";
import type { Storage } from "./storage.js";

const MAP_READ = 1;
const IDLE_STAGING = 4;
const FAULT_BYTES = FAULT_WORDS * 4;

interface Staging {
  readonly buffer: GPUBuffer;
  readonly size: number;
}

/** Reads from the GPU through a few reused staging buffers. Every read brings the fault record with it. */
export class Transfers {
  readonly #idle: Staging[] = [];

  constructor(
    private readonly device: GPUDevice,
    private readonly commands: CommandRecorder,
    private readonly fault: GPUBuffer,
    private readonly lost: Promise<TensorError>,
  ) {}

  async read(storage: Storage): Promise<{ bytes: ArrayBuffer; fault: Int32Array }> {
    const result = new Uint8Array(Math.ceil(storage.byteLength / 4) * 4);
    let fault = new Int32Array(FAULT_WORDS);
    // All copies are recorded before the first await, so that the bytes are those of this moment.
    const pending = storage.parts(0, result.byteLength).map(({ block, offset, length, at }) => {
      const staging = this.#take(length + FAULT_BYTES);
      this.commands.copy(block.buffer, offset, staging.buffer, 0, length);
      this.commands.copy(this.fault, 0, staging.buffer, length, FAULT_BYTES);
      return { staging, length, at };
    });
    this.commands.flush();
    await Promise.all(
      pending.map(async ({ staging, length, at }) => {
        const lost = await Promise.race([staging.buffer.mapAsync(MAP_READ), this.lost]).catch(() => this.lost);
        if (lost) throw lost;
        const mapped = new Uint8Array(staging.buffer.getMappedRange());
        result.set(mapped.subarray(0, length), at);
        fault = new Int32Array(mapped.slice(length, length + FAULT_BYTES).buffer);
        staging.buffer.unmap();
        this.#give(staging);
      }),
    );
    return { bytes: result.buffer.slice(0, storage.byteLength), fault };
  }

  #take(bytes: number): Staging {
    const index = this.#idle.findIndex(({ size }) => size >= bytes && size <= Math.max(4096, bytes * 4));
    if (index >= 0) return this.#idle.splice(index, 1)[0]!;
    const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, 256)));
    const fits = size <= this.device.limits.maxBufferSize ? size : Math.ceil(bytes / 16) * 16;
    return { buffer: this.device.createBuffer({ size: fits, usage: USAGE.mapRead | USAGE.copyDst }), size: fits };
  }

  #give(staging: Staging): void {
    this.#idle.push(staging);
    if (this.#idle.length > IDLE_STAGING) this.#idle.shift()?.buffer.destroy();
  }
}
