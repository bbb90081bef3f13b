import { corruptFile, type Place } from "../files/errors.js";
import type { WeightGroup } from "./manifest.js";

/** Loads the bytes of a shard, given its path in the manifest. */
export type LoadShard = (path: string) => Promise<Uint8Array>;

/** Reads the shards of a group as one run of bytes. Holds one shard at a time. */
export class ShardCursor {
  readonly #paths: string[];
  #shard: Uint8Array = new Uint8Array(0);
  #path = "";

  constructor(
    private readonly place: Place,
    group: WeightGroup,
    private readonly load: LoadShard,
  ) {
    this.#paths = [...group.paths];
  }

  /** The next `count` bytes in their own buffer, which is created only once all of them are there. */
  async take(weight: string, count: number): Promise<ArrayBuffer> {
    const pieces: Uint8Array[] = [];
    for (let missing = count; missing > 0; ) {
      if (this.#shard.length === 0) await this.#next(weight, missing);
      const piece = this.#shard.subarray(0, missing);
      this.#shard = this.#shard.subarray(piece.length);
      pieces.push(piece);
      missing -= piece.length;
    }
    return new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer();
  }

  /** Skips texts, each preceded by its length in 4 bytes. */
  async passTexts(weight: string, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const length = new DataView(await this.take(weight, 4)).getUint32(0, true);
      await this.take(weight, length);
    }
  }

  /** Throws if bytes are left over. */
  end(): void {
    if (this.#shard.length > 0) throw this.#fail(`${this.#shard.length} bytes at its end belong to no weight`);
    if (this.#paths.length > 0) throw this.#fail(`the shards after it (${this.#paths.join(", ")}) belong to no weight`);
  }

  async #next(weight: string, missing: number): Promise<void> {
    const path = this.#paths.shift();
    if (path === undefined) {
      throw this.#fail(`weight ${weight} needs ${missing} more bytes than the shards hold; the last one is too short`);
    }
    this.#path = path;
    this.#shard = await this.load(path);
  }

  #fail(problem: string): Error {
    const where = this.#path === "" ? "its shards" : `shard ${this.#path}`;
    return corruptFile(this.place, `${where}: ${problem}`);
  }
}
