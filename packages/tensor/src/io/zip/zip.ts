import { brief, TensorError } from "../../plain/errors.js";
import { checkExpansion, corruptFile, type Place, unsupportedFile, within } from "../files/errors.js";
import type { Source } from "../files/source.js";
import { Crc32 } from "./crc32.js";
import { readDirectory, type ZipRecord } from "./directory.js";

const LOCAL_ENTRY = 0x04034b50;
const EMPTY_ARCHIVE = 0x06054b50;
const LOCAL_LENGTH = 30;
const STORED = 0;
const DEFLATED = 8;
const CHUNK = 2 ** 18;

/**
 * The entries of a zip archive (stored or deflated, also zip64) from its central directory, without folders. Refuses
 * entries that overlap or leave the archive, repeated names, and sizes that deflate cannot reach. Encrypted entries and
 * other compression methods are refused when they are read.
 */
export async function openZip(source: Source): Promise<ZipEntry[]> {
  const records = await readDirectory(source);
  for (const record of records) checkSize(source, record);
  checkExpansion(
    source,
    records.reduce((total, { size }) => total + size, 0),
    source.size,
  );
  return records.filter(({ name }) => !name.endsWith("/")).map((record) => new ZipEntry(source, record));
}

/** Whether the source starts like a zip archive, including an empty one. */
export async function isZip(source: Source): Promise<boolean> {
  if (source.size < 4) return false;
  return [LOCAL_ENTRY, EMPTY_ARCHIVE].includes(new DataView(await source.read(0, 4)).getUint32(0, true));
}

/** A deflate stream expands to at most 1032 times its length. */
const DEFLATE_RATIO = 1032;

function checkSize(at: Place, { name, method, flags, packed, size }: ZipRecord): void {
  if (flags & 1 || (method !== STORED && method !== DEFLATED)) return;
  if (method === STORED ? size === packed : size <= DEFLATE_RATIO * packed) return;
  throw corruptFile(entryPlace(at, name), `its ${packed} bytes cannot unpack to the ${size} that the directory claims`);
}

function checkMethod(at: Place, { method, flags }: ZipRecord): void {
  if (flags & 1) throw unsupportedFile(at, "it is encrypted", "save the archive without a password");
  if (method === STORED || method === DEFLATED) return;
  throw unsupportedFile(at, `it is compressed by method ${method}`, "store it or use deflate");
}

const entryPlace = (at: Place, name: string): Place => within(at, `entry ${brief(name)}`);

/** A file in a zip archive. */
export class ZipEntry {
  readonly name: string;
  /** Bytes, uncompressed. */
  readonly size: number;
  /** A stored entry can be read in any order at no cost. In a compressed one, all that precedes is decompressed too. */
  readonly compressed: boolean;
  readonly #at: Place;
  #begin: Promise<number> | undefined;

  constructor(
    private readonly source: Source,
    private readonly record: ZipRecord,
  ) {
    this.name = record.name;
    this.size = record.size;
    this.compressed = record.method !== STORED;
    this.#at = entryPlace(source, record.name);
  }

  /** The uncompressed bytes [begin, end). */
  async read(begin: number, end: number): Promise<ArrayBuffer> {
    const start = await this.#start();
    if (!this.compressed) return this.source.read(start + begin, start + end);
    return this.#unpack(start, begin, end, undefined);
  }

  /** The uncompressed bytes from `begin` on, after checking the length and CRC-32 of the whole entry. */
  async readChecked(begin = 0): Promise<ArrayBuffer> {
    const start = await this.#start();
    const { size } = this;
    const crc = new Crc32();
    if (this.compressed) {
      const bytes = await this.#unpack(start, begin, size, crc);
      this.#checkCrc(crc);
      return bytes;
    }
    crc.update(new Uint8Array(await this.source.read(start, start + begin)));
    const bytes = await this.source.read(start + begin, start + size);
    this.#checkCrc(crc.update(new Uint8Array(bytes)));
    return bytes;
  }

  /** PyTorch writes 0 if it was told not to compute checksums. */
  #checkCrc(crc: Crc32): void {
    if (this.record.crc !== 0 && this.record.crc !== crc.value) {
      throw corruptFile(this.#at, "its checksum does not match");
    }
  }

  /** Where the data starts. */
  #start(): Promise<number> {
    checkMethod(this.#at, this.record);
    this.#begin ??= this.#readLocalHeader();
    return this.#begin;
  }

  /** The data follows the local header, which must agree with the directory. */
  async #readLocalHeader(): Promise<number> {
    const { local, limit, nameBytes, packed, method } = this.record;
    const header = new Uint8Array(await this.source.read(local, local + LOCAL_LENGTH + nameBytes.length));
    const view = new DataView(header.buffer);
    const agrees =
      view.getUint32(0, true) === LOCAL_ENTRY &&
      view.getUint16(8, true) === method &&
      view.getUint16(26, true) === nameBytes.length &&
      nameBytes.every((byte, i) => byte === header[LOCAL_LENGTH + i]);
    if (!agrees) throw corruptFile(this.#at, "its local header is damaged");
    const begin = local + header.length + view.getUint16(28, true);
    if (begin + packed > limit) throw corruptFile(this.#at, "it overlaps what follows it");
    return begin;
  }

  /** The uncompressed bytes [begin, end). With `crc`, decompresses the whole entry and checks its size. */
  async #unpack(start: number, begin: number, end: number, crc: Crc32 | undefined): Promise<ArrayBuffer> {
    const { size } = this;
    const out = new Uint8Array(end - begin);
    let at = 0;
    for await (const chunk of this.#inflate(start)) {
      if (at + chunk.length > size) throw corruptFile(this.#at, `it has more than the ${size} bytes of its directory`);
      const [from, to] = [Math.max(begin - at, 0), Math.min(end - at, chunk.length)];
      out.set(chunk.subarray(from, to), at + from - begin);
      crc?.update(chunk);
      at += chunk.length;
      if (!crc && at >= end) break;
    }
    if (at < end) throw corruptFile(this.#at, `it has ${at} bytes, but its directory says ${size}`);
    return out.buffer;
  }

  async *#inflate(start: number): AsyncGenerator<Uint8Array> {
    const { source, record } = this;
    let at = start;
    const packed = new ReadableStream<Uint8Array<ArrayBuffer>>({
      async pull(controller) {
        const end = Math.min(at + CHUNK, start + record.packed);
        controller.enqueue(new Uint8Array(await source.read(at, end)));
        at = end;
        if (at === start + record.packed) controller.close();
      },
    });
    const chunks = packed.pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    try {
      for (let next = await chunks.read(); !next.done; next = await chunks.read()) yield next.value as Uint8Array;
    } catch (cause) {
      throw cause instanceof TensorError ? cause : corruptFile(this.#at, "its compressed data is damaged");
    } finally {
      await chunks.cancel().catch(() => {});
    }
  }
}
