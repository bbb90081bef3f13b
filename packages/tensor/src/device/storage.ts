import type { Block } from "./blocks.js";
import { outOfMemory } from "./errors.js";

/**
 * The memory of one or more tensors: bytes in one buffer, or in several of equal size if one would exceed the device's
 * limit. Reference-counted: it returns to the pool when the last holder releases it.
 */
export class Storage {
  /** The op that used it first, for messages. */
  op: string | undefined;
  /** Number of changes in place so far. */
  version = 0;
  #holders = 1;

  constructor(
    readonly byteLength: number,
    readonly blocks: readonly Block[],
    /** Bytes of each block except the last. */
    readonly blockLength: number,
    /** The shape of the tensor that it was made for, for messages. */
    readonly shape: readonly number[] | undefined,
    private readonly free: (storage: Storage) => void,
  ) {}

  get shared(): boolean {
    return this.#holders > 1;
  }

  /** Whether no one holds it any more. */
  get released(): boolean {
    return this.#holders === 0;
  }

  /** Whether the GPU may still refuse some of the memory. */
  get pending(): boolean {
    return this.blocks.some((block) => block.pending);
  }

  retain(): this {
    this.#holders++;
    return this;
  }

  /** The same memory, which does not return to the pool with this holder. */
  borrow(): Storage {
    return new Storage(this.byteLength, this.blocks, this.blockLength, this.shape, () => undefined);
  }

  release(): void {
    if (this.#holders === 0) return;
    this.#holders--;
    if (this.#holders === 0) this.free(this);
  }

  /** The parts of the byte range [begin, end), by block. Throws `out-of-memory` if the GPU refused the memory. */
  parts(begin: number, end: number): { block: Block; offset: number; length: number; at: number }[] {
    const parts = [];
    for (let at = begin; at < end; ) {
      const index = Math.floor(at / this.blockLength);
      const offset = at - index * this.blockLength;
      const length = Math.min(end - at, this.blockLength - offset);
      const block = this.blocks[index]!;
      if (block.refusal !== undefined) throw outOfMemory(this, block.refusal);
      parts.push({ block, offset, length, at });
      at += length;
    }
    return parts;
  }
}
