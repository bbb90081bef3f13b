import { corruptFile } from "../files/errors.js";
import type { Source } from "../files/source.js";

/** Encodings of protobuf fields. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** Bytes of the payload after the tag, by encoding. That of a varint is read with the tag. */
const PLAIN_LENGTHS: Readonly<Record<number, number>> = { [VARINT]: 0, [FIXED64]: 8, [FIXED32]: 4 };

const LONGEST_VARINT = 10;

/** Reads consecutive varints. */
export class Varints {
  at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  /** Rounded beyond 2^53; NaN if it does not end, and then `at` stays. */
  next(): number {
    let value = 0;
    for (let i = 0; i < LONGEST_VARINT; i++) {
      const byte = this.bytes[this.at + i] ?? 0xff;
      value += (byte & 0x7f) * 128 ** i;
      if (byte >= 0x80) continue;
      this.at += i + 1;
      return value;
    }
    return Number.NaN;
  }
}

export interface Field {
  readonly number: number;
  readonly wire: number;
  /** The value of a varint, rounded beyond 2^53. */
  readonly value: number;
  /** Position of the payload in the file. */
  readonly begin: number;
  readonly end: number;
}

type Next = number | undefined;
type Visit = (field: Field) => Next | Promise<Next> | undefined | Promise<void>;

const CHUNK = 2 ** 16;
/** A tag and a length, or a tag and a value: two varints of at most 10 bytes. */
const LONGEST_HEAD = 20;

/** Reads the fields of protobuf messages in a file. Skips payloads, so that it holds only a chunk of 64 KiB. */
export class WireReader {
  #bytes = new Uint8Array(0);
  /** Position of the chunk in the file. */
  #base = 0;

  constructor(readonly source: Source) {}

  /**
   * Calls `visit` with each field of the message [begin, end). `visit` may read elsewhere, and may return a position
   * after the field to continue from.
   */
  async fields(begin: number, end: number, visit: Visit): Promise<void> {
    for (let at = begin; at < end; ) {
      if (!this.#holds(at, Math.min(end, at + LONGEST_HEAD))) await this.#fill(at);
      const field = this.#parse(at, end);
      const next = visit(field);
      at = (typeof next === "object" ? await next : next) ?? field.end;
    }
  }

  /**
   * Counts the consecutive fields of `step` bytes with this tag from `begin` on: unpacked numbers are stored like this.
   */
  async countFields(tag: number, begin: number, end: number, step: number): Promise<number> {
    let count = 0;
    for (let at = begin; at + step <= end; at += step, count++) {
      if (!this.#holds(at, at + 1)) await this.#fill(at);
      if (this.#bytes[at - this.#base] !== tag) break;
    }
    return count;
  }

  #holds(begin: number, end: number): boolean {
    return begin >= this.#base && end <= this.#base + this.#bytes.length;
  }

  async #fill(begin: number): Promise<void> {
    this.#bytes = new Uint8Array(await this.source.read(begin, Math.min(begin + CHUNK, this.source.size)));
    this.#base = begin;
  }

  #parse(begin: number, end: number): Field {
    const varints = new Varints(this.#bytes.subarray(begin - this.#base));
    const tag = varints.next();
    const [number, wire] = [Math.floor(tag / 8), tag % 8];
    const value = wire === VARINT || wire === BYTES ? varints.next() : 0;
    const length = wire === BYTES ? value : (PLAIN_LENGTHS[wire] ?? Number.NaN);
    const at = begin + varints.at;
    if (number === 0 || Number.isNaN(value) || !(at + length <= end)) {
      throw corruptFile(this.source, `the protobuf field at byte ${begin} is damaged or extends beyond its message`);
    }
    return { number, wire, value, begin: at, end: at + length };
  }
}
