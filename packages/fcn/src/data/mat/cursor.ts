import type { TensorError } from "@fcn/tensor";
import { damagedFile } from "../files/errors.js";

/** Numbers as stored in the file, except that 64-bit integers become float64. */
export type Numbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

type Read = (view: DataView, at: number, little: boolean) => number;

/** Element data type -> bytes per value, array type, and reader of one value. */
const TYPES: Readonly<Record<number, readonly [number, new (length: number) => Numbers, Read]>> = {
  1: [1, Int8Array, (view, at) => view.getInt8(at)],
  2: [1, Uint8Array, (view, at) => view.getUint8(at)],
  3: [2, Int16Array, (view, at, little) => view.getInt16(at, little)],
  4: [2, Uint16Array, (view, at, little) => view.getUint16(at, little)],
  5: [4, Int32Array, (view, at, little) => view.getInt32(at, little)],
  6: [4, Uint32Array, (view, at, little) => view.getUint32(at, little)],
  7: [4, Float32Array, (view, at, little) => view.getFloat32(at, little)],
  9: [8, Float64Array, (view, at, little) => view.getFloat64(at, little)],
  12: [8, Float64Array, (view, at, little) => Number(view.getBigInt64(at, little))],
  13: [8, Float64Array, (view, at, little) => Number(view.getBigUint64(at, little))],
  16: [1, Uint8Array, (view, at) => view.getUint8(at)],
  17: [2, Uint16Array, (view, at, little) => view.getUint16(at, little)],
  18: [4, Uint32Array, (view, at, little) => view.getUint32(at, little)],
};

export interface Element {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** Steps through the elements of a MAT-file without ever reading past the end of its bytes. */
export class Cursor {
  private readonly view: DataView;

  constructor(
    private readonly file: string,
    private readonly bytes: Uint8Array,
    private readonly littleEndian: boolean,
    private at = 0,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** True if the remaining bytes cannot hold another element. */
  get done(): boolean {
    return this.bytes.length - this.at < 8;
  }

  within(bytes: Uint8Array): Cursor {
    return new Cursor(this.file, bytes, this.littleEndian);
  }

  damaged(problem: string): TensorError {
    return damagedFile(this.file, problem);
  }

  /** Throws if `count` elements do not fit, so that a damaged count cannot allocate a huge array. */
  atMost(count: number): number {
    const most = Math.floor((this.bytes.length - this.at) / 8);
    if (count > most) throw this.damaged(`${count} elements are announced, there is room for ${most}`);
    return count;
  }

  /** Reads the next element. Its content starts at a multiple of 8 bytes, and so does the following element. */
  element({ padded = true } = {}): Element {
    if (this.done) throw this.damaged("it ends in the middle of a variable");
    const tag = this.view.getUint32(this.at, this.littleEndian);
    const small = tag >>> 16;
    if (small > 0) {
      const begin = this.at + 4;
      if (small > 4) throw this.damaged(`a small element has ${small} bytes`);
      this.at += 8;
      return { type: tag & 0xffff, bytes: this.bytes.subarray(begin, begin + small) };
    }
    const length = this.view.getUint32(this.at + 4, this.littleEndian);
    const begin = this.at + 8;
    if (begin + length > this.bytes.length) {
      throw this.damaged(`an element of ${length} bytes does not fit, ${this.bytes.length - begin} are left`);
    }
    this.at = begin + (padded ? Math.ceil(length / 8) * 8 : length);
    return { type: tag, bytes: this.bytes.subarray(begin, begin + length) };
  }

  /** Reads the values of the next element, which must hold numbers or characters. */
  numbers(): Numbers {
    const { type, bytes } = this.element();
    const entry = TYPES[type];
    if (entry === undefined) throw this.damaged(`an element of type ${type} stands where numbers belong`);
    const [size, Values, read] = entry;
    if (bytes.length % size !== 0)
      throw this.damaged(`${bytes.length} bytes are no whole number of ${size}-byte values`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const values = new Values(bytes.length / size);
    for (let i = 0; i < values.length; i++) values[i] = read(view, i * size, this.littleEndian);
    return values;
  }
}
