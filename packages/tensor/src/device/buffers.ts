/** Buffer usages by value, since the global `GPUBufferUsage` exists only in browsers. */
export const USAGE = { mapRead: 1, copySrc: 4, copyDst: 8, uniform: 64, storage: 128 } as const;

/** A part of a buffer that a kernel reads or writes. */
export interface BufferRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** @internal One GPU buffer of the pool. */
export interface Block {
  /** Buffers are numbered in the order in which they are made. */
  readonly number: number;
  readonly buffer: GPUBuffer;
  readonly size: number;
  /** The batch of commands that was being recorded when the block was last released. */
  releasedIn: number;
  /** Whether the GPU may still refuse the memory. */
  pending: boolean;
  /** Why the GPU refused the memory. */
  refusal: string | undefined;
}

export interface MemoryReport {
  readonly liveTensors: number;
  /** Bytes of buffers in use by tensors and ops, including scratch memory (torch.cuda.memory_allocated). */
  readonly liveBytes: number;
  /** Bytes of free buffers kept for reuse. */
  readonly pooledBytes: number;
  /** The peak of `liveBytes` (torch.cuda.max_memory_allocated). */
  readonly peakBytes: number;
  /**
   * Bytes of all buffers held: live, free, used for transfers and parameters, and released but still in use by the GPU
   * (torch.cuda.memory_reserved).
   */
  readonly reservedBytes: number;
  /** The peak of `reservedBytes`, which must fit on the GPU (torch.cuda.max_memory_reserved). */
  readonly peakReservedBytes: number;
}

const MIB = 1024 * 1024;
const SMALLEST = 256;

/** Powers of two up to 1 MiB, then eighths of the next power of two: at most 12.5 % slack in large buffers. */
export function sizeClass(bytes: number): number {
  if (bytes <= SMALLEST) return SMALLEST;
  const power = 2 ** Math.ceil(Math.log2(bytes));
  if (power <= MIB) return power;
  const step = power / 16;
  return Math.ceil(bytes / step) * step;
}

/** Where a buffer belongs in a list in descending order of numbers. */
function placeOf({ number }: Block, idle: readonly Block[]): number {
  let [low, high] = [0, idle.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (idle[middle]!.number > number) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * @internal Storage buffers by size class, with a cap on idle bytes: sizes that were idle longest are destroyed first.
 * Of the idle buffers the oldest is taken, so that work that is repeated gets the same buffers.
 */
export class BufferPool {
  liveBytes = 0;
  pooledBytes = 0;
  peakBytes = 0;
  /** Idle buffers, the oldest last. */
  readonly #free = new Map<number, Block[]>();
  #made = 0;

  constructor(
    private readonly create: (size: number, settled: (refusal: string | undefined) => void) => GPUBuffer,
    private readonly destroy: (block: Block) => void,
    /** Called before buffers are destroyed, so that no recorded command still needs them. */
    private readonly flush: () => void,
    private readonly cap: number,
    private readonly maxSize: number,
  ) {}

  /** Calls `refused` if the GPU turns out to have no memory for the block. */
  acquire(bytes: number, refused: (reason: string) => void): Block {
    const size = Math.min(sizeClass(bytes), Math.max(Math.ceil(bytes / 16) * 16, this.maxSize));
    const idle = this.#free.get(size);
    const block = idle?.pop();
    this.liveBytes += size;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
    if (block) {
      this.pooledBytes -= size;
      return block;
    }
    const fresh = {
      number: this.#made++,
      size,
      releasedIn: -1,
      pending: true,
      refusal: undefined as string | undefined,
    };
    const buffer = this.create(size, (refusal) => {
      fresh.pending = false;
      if (refusal === undefined) return;
      fresh.refusal = refusal;
      this.#forget(fresh as Block);
      refused(refusal);
    });
    return Object.assign(fresh, { buffer });
  }

  release(block: Block, batch: number): void {
    block.releasedIn = batch;
    this.liveBytes -= block.size;
    if (block.refusal !== undefined) return;
    this.pooledBytes += block.size;
    const idle = this.#free.get(block.size) ?? [];
    idle.splice(placeOf(block, idle), 0, block);
    // Deleted and set again to keep the map in the order of last use.
    this.#free.delete(block.size);
    this.#free.set(block.size, idle);
    if (this.pooledBytes > this.cap) this.trim(this.cap / 2);
  }

  /** Removes a block without memory from the idle ones. */
  #forget(block: Block): void {
    const idle = this.#free.get(block.size);
    const index = idle?.indexOf(block) ?? -1;
    if (index < 0) return;
    idle?.splice(index, 1);
    this.pooledBytes -= block.size;
  }

  trim(bytes = 0): void {
    if (this.pooledBytes <= bytes) return;
    this.flush();
    for (const [size, blocks] of this.#free) {
      while (blocks.length > 0 && this.pooledBytes > bytes) {
        this.destroy(blocks.shift()!);
        this.pooledBytes -= size;
      }
      if (blocks.length === 0) this.#free.delete(size);
      if (this.pooledBytes <= bytes) return;
    }
  }
}
