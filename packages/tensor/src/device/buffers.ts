/** Buffer usages by value: the `GPUBufferUsage` global exists only in browsers. */
export const USAGE = { mapRead: 1, copySrc: 4, copyDst: 8, uniform: 64, storage: 128 } as const;

/** @internal One GPU buffer of the pool. */
export interface Block {
  readonly buffer: GPUBuffer;
  readonly size: number;
  /** The batch of commands that was being recorded when the block was last released. */
  releasedIn: number;
  /** Whether it is not known yet if the GPU had memory for it. */
  pending: boolean;
  /** Why the GPU had none. */
  refusal: string | undefined;
}

export interface MemoryReport {
  readonly liveTensors: number;
  /** Bytes of the buffers in use by tensors and ops, scratch included (torch.cuda.memory_allocated). */
  readonly liveBytes: number;
  /** Bytes of free buffers that are kept for reuse. */
  readonly pooledBytes: number;
  /** The most that `liveBytes` was (torch.cuda.max_memory_allocated). */
  readonly peakBytes: number;
  /**
   * Bytes of all buffers that are held: live, free ones, those that reads and parameters go through, and those given
   * back while the GPU still works on them (torch.cuda.memory_reserved).
   */
  readonly reservedBytes: number;
  /** The most that `reservedBytes` was: what the GPU must have room for (torch.cuda.max_memory_reserved). */
  readonly peakReservedBytes: number;
}

const MIB = 1024 * 1024;
const SMALLEST = 256;

/** Powers of two up to 1 MiB, then eighths of the next power of two: at most 12.5 % slack on large buffers. */
export function sizeClass(bytes: number): number {
  if (bytes <= SMALLEST) return SMALLEST;
  const power = 2 ** Math.ceil(Math.log2(bytes));
  if (power <= MIB) return power;
  const step = power / 16;
  return Math.ceil(bytes / step) * step;
}

/**
 * @internal Storage buffers by size class, with a cap on the bytes that lie idle; the longest idle are destroyed first.
 */
export class BufferPool {
  liveBytes = 0;
  pooledBytes = 0;
  peakBytes = 0;
  readonly #free = new Map<number, Block[]>();

  constructor(
    private readonly create: (size: number, settled: (refusal: string | undefined) => void) => GPUBuffer,
    private readonly destroy: (block: Block) => void,
    /** Called before buffers are destroyed, so that no recorded command still needs them. */
    private readonly flush: () => void,
    private readonly cap: number,
    private readonly maxSize: number,
  ) {}

  /** `refused` is called when it turns out that the GPU has no memory for the block. */
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
    const fresh = { size, releasedIn: -1, pending: true, refusal: undefined as string | undefined };
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
    idle.push(block);
    // Deleted and set again, so that the map's order is the order of last use.
    this.#free.delete(block.size);
    this.#free.set(block.size, idle);
    if (this.pooledBytes > this.cap) this.trim(this.cap / 2);
  }

  /** Takes a block that has no memory out of those that lie idle. */
  #forget(block: Block): void {
    const idle = this.#free.get(block.size);
    const index = idle?.indexOf(block) ?? -1;
    if (index < 0) return;
    idle?.splice(index, 1);
    this.pooledBytes -= block.size;
  }

  /** Destroys idle buffers until at most `bytes` lie idle. */
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
