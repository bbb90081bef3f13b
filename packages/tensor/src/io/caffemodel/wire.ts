import { corruptFile } from "../files/errors.js";
import type { Source } from "../files/source.js";

/** Encodings of protobuf fields. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

export interface Field {
  readonly number: number;
  readonly wire: number;
  /** The value of a varint, rounded beyond 2^53. */
  readonly value: number;
  /** Position of the payload in the file. */
  readonly begin: number;
  readonly end: number;
}

type Visit = (field: Field) => number | undefined | Promise<number | undefined>;

const WINDOW = 2 ** 16;
/** A tag and a length, or a tag and a value: two varints of at most 10 bytes. */
const LONGEST_HEAD = 20;

/** Reads the fields of protobuf messages in a file. Skips payloads, so that it holds only a window of 64 KiB. */
export class WireReader {
  #bytes = new Uint8Array(0);
  /** Position of the window in the file. */
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
  async countRun(tag: number, begin: number, end: number, step: number): Promise<number> {
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
    this.#bytes = new Uint8Array(await this.source.read(begin, Math.min(begin + WINDOW, this.source.size)));
    this.#base = begin;
  }

  #parse(begin: number, end: number): Field {
    let at = begin;
    const varint = (): number => {
      let value = 0;
      for (let shift = 0; shift < 70; shift += 7, at++) {
        const byte = this.#bytes[at - this.#base];
        if (at >= end || byte === undefined) throw this.#damaged(begin);
        value += (byte & 0x7f) * 2 ** shift;
        if (byte < 0x80) {
          at++;
          return value;
        }
      }
      throw this.#damaged(begin);
    };
    const tag = varint();
    const [number, wire] = [Math.floor(tag / 8), tag % 8];
    const value = wire === VARINT || wire === BYTES ? varint() : 0;
    const length =
      wire === BYTES ? value : wire === FIXED64 ? 8 : wire === FIXED32 ? 4 : wire === VARINT ? 0 : Number.NaN;
    if (number === 0 || !(at + length <= end)) throw this.#damaged(begin);
    return { number, wire, value, begin: at, end: at + length };
  }

  #damaged(at: number): Error {
    return corruptFile(this.source, `the protobuf field at byte ${at} is damaged or reaches out of its message`);
  }
}
