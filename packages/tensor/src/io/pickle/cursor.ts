/** The pickle continues after the available bytes. */
export class OutOfBytes extends Error {}

/** The bytes break a rule of the pickle format. */
export class BadPickle extends Error {}

const LINE_END = 0x0a;

export class Cursor {
  at = 0;
  readonly #view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The next `count` bytes, as a view. */
  take(count: number): Uint8Array {
    const begin = this.#advance(count);
    return this.bytes.subarray(begin, begin + count);
  }

  uint8 = (): number => this.#view.getUint8(this.#advance(1));
  uint16 = (): number => this.#view.getUint16(this.#advance(2), true);
  uint32 = (): number => this.#view.getUint32(this.#advance(4), true);
  int32 = (): number => this.#view.getInt32(this.#advance(4), true);
  /** The only big-endian number in the format. */
  float64 = (): number => this.#view.getFloat64(this.#advance(8), false);

  /** A 64-bit length. One that exceeds any memory need not be exact. */
  uint64 = (): number => Number(this.#view.getBigUint64(this.#advance(8), true));

  /** The text up to the end of the line. */
  line(): string {
    const end = this.bytes.indexOf(LINE_END, this.at);
    if (end < 0) throw new OutOfBytes();
    const line = this.take(end - this.at);
    this.at = end + 1;
    return decodeUtf8(line);
  }

  #advance(count: number): number {
    const begin = this.at;
    if (!(begin + count <= this.bytes.length)) throw new OutOfBytes();
    this.at = begin + count;
    return begin;
  }
}

export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new BadPickle("a string is not UTF-8");
  }
}
