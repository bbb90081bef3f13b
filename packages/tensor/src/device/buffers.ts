import { type Arena, type Block, IdleBlocks } from "./blocks.js";

/** Buffer usages by value, since the global `GPUBufferUsage` exists only in browsers. */
export const USAGE = { mapRead: 1, copySrc: 4, copyDst: 8, uniform: 64, storage: 128 } as const;

/** A part of a buffer that a kernel reads or writes. */
export interface BufferRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
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

/**
 * @internal Storage buffers by size class, with a cap on idle bytes: sizes that were idle longest are destroyed first.
 */
export class BufferPool {
  liveBytes = 0;
  pooledBytes = 0;
  peakBytes = 0;
  /** What the buffers that are taken are set apart for; undefined for nothing. */
  arena: Arena | undefined;
  readonly #free = new IdleBlocks();
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
    const { arena } = this;
    const own = arena?.idle.take(size);
    if (own) return own;
    this.liveBytes += size;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
    const idle = this.#free.take(size);
    if (idle) this.pooledBytes -= size;
    const block = idle ?? this.#make(size, refused);
    block.arena = arena;
    arena?.blocks.add(block);
    return block;
  }

  #make(size: number, refused: (reason: string) => void): Block {
    const fresh = {
      number: this.#made++,
      size,
      releasedIn: -1,
      pending: true,
      refusal: undefined as string | undefined,
      arena: undefined,
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
    if (block.arena) block.arena.idle.put(block);
    else this.#give(block);
  }

  /** Ends an arena. Its idle buffers are the pool's again, and the others when they are released. */
  dissolve(arena: Arena): void {
    for (const block of arena.blocks) block.arena = undefined;
    for (const blocks of arena.idle.values()) for (const block of blocks) this.#give(block);
    arena.blocks.clear();
    arena.idle.clear();
  }

  #give(block: Block): void {
    this.liveBytes -= block.size;
    if (block.refusal !== undefined) return;
    this.pooledBytes += block.size;
    this.#free.put(block);
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
