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
  isHeld: boolean;
  /** Recordings that use the block. While there are any, it is set apart for them. */
  users: number;
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
 * @internal Idle buffers by size. Of one size the oldest is taken, so that work that is repeated gets the same buffers.
 */
export class IdleBlocks extends Map<number, Block[]> {
  take(size: number): Block | undefined {
    return this.get(size)?.pop();
  }

  put(block: Block): void {
    const idle = this.get(block.size) ?? [];
    idle.splice(placeOf(block, idle), 0, block);
    // Deleted and set again to keep the map in the order of last use.
    this.delete(block.size);
    this.set(block.size, idle);
  }

  /** Takes a block out, and returns whether it was there. */
  remove(block: Block): boolean {
    const idle = this.get(block.size);
    const index = idle?.indexOf(block) ?? -1;
    if (index < 0) return false;
    idle?.splice(index, 1);
    return true;
  }
}
