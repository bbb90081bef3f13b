import type { DeviceInfo } from "./adapter.js";
import { type Block, BufferPool, type MemoryReport, USAGE } from "./buffers.js";
import type { CommandRecorder } from "./commands.js";
import { type MemoryRequest, outOfMemory } from "./errors.js";
import type { Failures } from "./failures.js";
import type { GuardedDevice } from "./guarded.js";
import { checkHostMemory } from "./hostMemory.js";
import type { Simulation } from "./simulate.js";
import { Storage } from "./storage.js";

/**
 * Bytes from which on memory may well be refused: work on it is submitted by itself, so that no other work is lost with
 * it.
 */
export const LARGE = 64 * 1024 * 1024;

/** Buffers above this size are followed: smaller ones are hardly refused. */
const FOLLOWED = 1024 * 1024;

/** Bytes of the largest buffer of a tensor: a read adds the fault record to it, within the limit of a buffer. */
export const largestBlock = (bufferLimit: number): number => Math.floor(bufferLimit / 256) * 256 - 256;

/** The memory of tensors: storages in blocks of the pool. */
export class Memory {
  readonly #pool: BufferPool;
  readonly #largestBlock: number;
  #isRefusing = false;

  constructor(
    private readonly gpu: GuardedDevice,
    private readonly info: DeviceInfo,
    private readonly failures: Failures,
    private readonly commands: CommandRecorder,
    bufferLimit: number,
    poolBytes: number,
    private readonly simulation: Simulation | undefined,
  ) {
    this.#largestBlock = largestBlock(bufferLimit);
    this.#pool = new BufferPool(
      (size, settled) => this.#createBuffer(size, settled),
      (block) => gpu.destroyBuffer(block.buffer, block.size),
      () => commands.flush(),
      poolBytes,
      this.#largestBlock,
    );
  }

  report(liveTensors: number): MemoryReport {
    const { liveBytes, pooledBytes, peakBytes } = this.#pool;
    const { reservedBytes, peakReservedBytes } = this.gpu;
    return { liveTensors, liveBytes, pooledBytes, peakBytes, reservedBytes, peakReservedBytes };
  }

  resetPeak(): void {
    this.#pool.peakBytes = this.#pool.liveBytes;
    this.gpu.peakReservedBytes = this.gpu.reservedBytes;
  }

  /** Destroys idle buffers until at most `bytes` lie idle. */
  trim(bytes: number): void {
    this.#pool.trim(bytes);
  }

  /**
   * A storage; where the GPU refuses the memory it is recorded as a failure. Throws `out-of-memory` where the host's
   * memory is too small for it.
   */
  allocate(request: MemoryRequest): Storage {
    const { byteLength, shape } = request;
    if (byteLength >= LARGE) checkHostMemory(this.info, request, this.#pool.pooledBytes);
    const bytes = Math.max(16, Math.ceil(byteLength / 16) * 16);
    const blockLength = Math.min(bytes, this.#largestBlock);
    const blocks: Block[] = [];
    const storage = new Storage(byteLength, blocks, blockLength, shape, (freed) => {
      for (const block of freed.blocks) this.#pool.release(block, this.commands.batch);
    });
    const refused = (reason: string) => {
      this.failures.record(outOfMemory(storage, reason));
      // What lies idle may be what is missing.
      this.#pool.trim();
    };
    this.#isRefusing = this.simulation?.isDue("out-of-memory") ?? false;
    // Only a new buffer can be refused.
    if (this.#isRefusing) this.#pool.trim();
    for (let left = bytes; left > 0; left -= blockLength) {
      blocks.push(this.#pool.acquire(Math.min(left, blockLength), refused));
    }
    this.#isRefusing = false;
    return storage;
  }

  #createBuffer(size: number, settled: (refusal: string | undefined) => void): GPUBuffer {
    const descriptor = { size, usage: USAGE.storage | USAGE.copySrc | USAGE.copyDst };
    if (this.#isRefusing) return this.failures.refuseBuffer(descriptor, settled);
    if (size > FOLLOWED) return this.failures.createBuffer(descriptor, settled);
    settled(undefined);
    return this.gpu.createBuffer(descriptor);
  }
}
