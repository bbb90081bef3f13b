import type { TensorError } from "@fcn/tensor";
import { damagedFile } from "../files/errors.js";

/** Element data type -> type of the array, and the method of DataView that reads a value. */
const TYPES = {
  1: [Int8Array, "getInt8"],
  2: [Uint8Array, "getUint8"],
  3: [Int16Array, "getInt16"],
  4: [Uint16Array, "getUint16"],
  5: [Int32Array, "getInt32"],
  6: [Uint32Array, "getUint32"],
  7: [Float32Array, "getFloat32"],
  9: [Float64Array, "getFloat64"],
  12: [Float64Array, "getBigInt64"],
  13: [Float64Array, "getBigUint64"],
  16: [Uint8Array, "getUint8"],
  17: [Uint16Array, "getUint16"],
  18: [Uint32Array, "getUint32"],
} as const;

/** Numbers as stored in the file, except that 64-bit integers become float64. */
export type Numbers = InstanceType<(typeof TYPES)[keyof typeof TYPES][0]>;

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
    if (!(type in TYPES)) throw this.damaged(`an element of type ${type} stands where numbers belong`);
    const [Values, get] = TYPES[type as keyof typeof TYPES];
    const size = Values.BYTES_PER_ELEMENT;
    if (bytes.length % size !== 0) {
      throw this.damaged(`${bytes.length} bytes are not a whole number of ${size}-byte values`);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const values = new Values(bytes.length / size);
    for (let i = 0; i < values.length; i++) values[i] = Number(view[get](i * size, this.littleEndian));
    return values;
  }
}
