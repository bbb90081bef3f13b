import type { DeviceInfo } from "./adapter.js";
import type { Block } from "./blocks.js";
import { BufferPool, type MemoryReport, USAGE } from "./buffers.js";
import type { CommandRecorder } from "./commands.js";
import { type MemoryRequest, outOfMemory } from "./errors.js";
import type { Failures } from "./failures.js";
import type { GuardedDevice } from "./guarded.js";
import { checkHostMemory } from "./hostMemory.js";
import type { Simulation } from "./simulate.js";
import { Storage } from "./storage.js";

/**
 * Work on memory of at least this many bytes is submitted by itself: the memory may well be refused, and that should
 * lose no other work.
 */
export const LARGE = 64 * 1024 * 1024;

/** Only buffers larger than this are watched for refusal, since smaller ones are hardly ever refused. */
const FOLLOWED = 1024 * 1024;

/** Bytes of a tensor's largest buffer, which leaves room for the fault record that a read appends. */
export const largestBlock = (bufferLimit: number): number => Math.floor(bufferLimit / 256) * 256 - 256;

/** Buffers that are set apart, and the most bytes of them that are in use at once. */
export interface Apart {
  readonly blocks: ReadonlySet<Block>;
  readonly bytes: number;
}

/** The memory of tensors: storages made of blocks from the pool. */
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

  /** Sets the buffers that are taken while `fn` runs apart in `blocks`. Returns the bytes that it took at once. */
  apart(blocks: Set<Block>, fn: () => void): number {
    const pool = this.#pool;
    const { liveBytes, peakBytes } = pool;
    pool.used = blocks;
    pool.peakBytes = liveBytes;
    try {
      fn();
      return pool.peakBytes - liveBytes;
    } finally {
      pool.used = undefined;
      pool.peakBytes = Math.max(pool.peakBytes, peakBytes);
    }
  }

  /** Notes that work used the buffers set apart for it once more. */
  reuse({ bytes }: Apart): void {
    this.#pool.peakBytes = Math.max(this.#pool.peakBytes, this.#pool.liveBytes + bytes);
  }

  /** Ends the use of buffers that were set apart. */
  free(blocks: Iterable<Block>): void {
    this.#pool.free(blocks);
  }

  /** What frees the buffers of the recording that was used longest ago, and returns false if there is none. */
  set forgetOldest(forget: () => boolean) {
    this.#pool.forgetOldest = forget;
  }

  trim(bytes: number): void {
    this.#pool.trim(bytes);
  }

  /**
   * Allocates a storage; a refusal by the GPU is recorded. Throws `out-of-memory` if the host's memory is too small.
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
      // Idle buffers may hold the memory that is missing.
      this.#pool.trim();
    };
    this.#isRefusing = this.simulation?.isDue("out-of-memory") ?? false;
    for (let left = bytes; left > 0; left -= blockLength) {
      // Only a new buffer can be refused.
      blocks.push(this.#pool.acquire(Math.min(left, blockLength), refused, this.#isRefusing));
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
