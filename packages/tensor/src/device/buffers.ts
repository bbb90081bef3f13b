import { type Block, IdleBlocks } from "./blocks.js";

/** Buffer usages by value, since the global `GPUBufferUsage` exists only in browsers. */
export const USAGE = { mapRead: 1, copySrc: 4, copyDst: 8, uniform: 64, storage: 128 } as const;

/** @internal A part of a buffer that a kernel reads or writes. */
export interface BufferRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

export interface MemoryReport {
  readonly liveTensors: number;
  /** Bytes of buffers in use by tensors and ops, including scratch memory (torch.cuda.memory_allocated). */
  readonly liveBytes: number;
  /** Bytes of idle buffers kept for reuse, by recorded work or by anything. */
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

/** Buffers up to this size are made without a look at what is idle. */
const SMALL = MIB;

/**
 * @internal Storage buffers by size class, with a cap on idle bytes: sizes that were idle longest are destroyed first.
 *
 * Buffers that recorded work uses are set apart while the recording is kept. Recordings share them, since one is
 * replayed after the other and none reads what another left. Others get them when the recording is forgotten.
 */
export class BufferPool {
  liveBytes = 0;
  peakBytes = 0;
  /** The buffers that the work has used so far that is being recorded; undefined for nothing. */
  used: Set<Block> | undefined;
  /** Forgets the recording that was used longest ago, and returns false if there is none. */
  forgetOldest: () => boolean = () => false;
  /** Idle bytes that everything gets, and those that are set apart. */
  #freeBytes = 0;
  #apartBytes = 0;
  readonly #free = new IdleBlocks();
  readonly #apart = new IdleBlocks();
  #made = 0;

  constructor(
    private readonly create: (size: number, settled: (refusal: string | undefined) => void) => GPUBuffer,
    private readonly destroy: (block: Block) => void,
    /** Called before buffers are destroyed, so that no recorded command still needs them. */
    private readonly flush: () => void,
    private readonly cap: number,
    private readonly maxSize: number,
  ) {}

  get pooledBytes(): number {
    return this.#freeBytes + this.#apartBytes;
  }

  /** A block, none of the idle ones if `isNew`. Calls `refused` if the GPU turns out to have no memory for it. */
  acquire(bytes: number, refused: (reason: string) => void, isNew: boolean): Block {
    const size = Math.min(sizeClass(bytes), Math.max(Math.ceil(bytes / 16) * 16, this.maxSize));
    const { used } = this;
    const idle = isNew ? undefined : ((used && this.#takeApart(size)) ?? this.#takeFree(size));
    const block = idle ?? this.#make(size, refused);
    block.isHeld = true;
    this.liveBytes += size;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
    if (used && !used.has(block)) {
      used.add(block);
      block.users++;
    }
    return block;
  }

  #takeApart(size: number): Block | undefined {
    const block = this.#apart.take(size);
    if (block) this.#apartBytes -= size;
    return block;
  }

  #takeFree(size: number): Block | undefined {
    const block = this.#free.take(size);
    if (block) this.#freeBytes -= size;
    return block;
  }

  #make(size: number, refused: (reason: string) => void): Block {
    // What is set apart may exceed the cap, but not together with the buffers of other work.
    if (size > SMALL && this.pooledBytes > this.cap) this.trim(this.cap);
    const fresh = {
      number: this.#made++,
      size,
      releasedIn: -1,
      pending: true,
      refusal: undefined as string | undefined,
      isHeld: false,
      users: 0,
    };
    const buffer = this.create(size, (refusal) => {
      fresh.pending = false;
      if (refusal === undefined) return;
      fresh.refusal = refusal;
      if (this.#free.remove(fresh as Block)) this.#freeBytes -= size;
      if (this.#apart.remove(fresh as Block)) this.#apartBytes -= size;
      refused(refusal);
    });
    return Object.assign(fresh, { buffer });
  }

  release(block: Block, batch: number): void {
    block.releasedIn = batch;
    block.isHeld = false;
    this.liveBytes -= block.size;
    if (block.refusal !== undefined) return;
    if (block.users === 0) {
      this.#give(block);
      return;
    }
    this.#apartBytes += block.size;
    this.#apart.put(block);
  }

  /** Ends the use of buffers by a recording. */
  free(blocks: Iterable<Block>): void {
    for (const block of blocks) {
      block.users--;
      if (block.users > 0 || !this.#apart.remove(block)) continue;
      this.#apartBytes -= block.size;
      this.#give(block);
    }
  }

  #give(block: Block): void {
    this.#freeBytes += block.size;
    this.#free.put(block);
    if (this.#freeBytes > this.cap) this.#destroy(this.cap / 2);
  }

  /** Destroys idle buffers, and forgets recordings for it, until at most `bytes` are idle. */
  trim(bytes = 0): void {
    do this.#destroy(bytes - this.#apartBytes);
    while (this.pooledBytes > bytes && this.forgetOldest());
  }

  /** Destroys free buffers until at most `bytes` are left. */
  #destroy(bytes: number): void {
    if (this.#freeBytes === 0 || this.#freeBytes <= bytes) return;
    this.flush();
    for (const [size, blocks] of this.#free) {
      while (blocks.length > 0 && this.#freeBytes > bytes) {
        this.destroy(blocks.shift()!);
        this.#freeBytes -= size;
      }
      if (blocks.length === 0) this.#free.delete(size);
      if (this.#freeBytes <= bytes) return;
    }
  }
}
