import { corruptFile } from "../errors.js";
import type { Source } from "../source.js";

/** How a protobuf field is encoded. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** One field of a protobuf message. */
export interface Field {
  readonly number: number;
  readonly wire: number;
  /** The value of a varint; rounded beyond 2^53. */
  readonly value: number;
  /** Where the payload lies in the file. */
  readonly begin: number;
  readonly end: number;
}

type Visit = (field: Field) => number | undefined | Promise<number | undefined>;

const WINDOW = 2 ** 16;
/** A tag and a length, or a tag and a value: two varints of 10 bytes at most. */
const LONGEST_HEAD = 20;

/**
 * Reads the fields of protobuf messages in a file. Payloads are skipped, so that what is held is one window of 64 KiB,
 * whatever the file's size.
 */
export class WireReader {
  #bytes = new Uint8Array(0);
  /** Where the window starts in the file. */
  #base = 0;

  constructor(readonly source: Source) {}

  /**
   * Calls `visit` with each field of the message [begin, end). It may read elsewhere meanwhile, and may answer a place
   * after the field to go on from.
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
   * How many fields of `step` bytes with this tag follow one another from `begin` on: so lie numbers that are not
   * packed.
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
