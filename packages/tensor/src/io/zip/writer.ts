import { Crc32 } from "./crc32.js";

export interface ZipFile {
  readonly name: string;
  readonly pieces: readonly Uint8Array[];
}

interface Written extends ZipEntryFields {
  readonly nameBytes: Uint8Array;
}

interface ZipEntryFields {
  readonly crc: number;
  readonly size: number;
  readonly offset: number;
}

const FULL = 0xffffffff;
const VERSION64 = 45;
const UTF8_NAME = 0x800;
/** 1 January 1980, the earliest date in zip. A fixed date, so that the same content gives the same bytes. */
const DATE = 0x0021;

/** A zip archive of stored files, with zip64 if sizes or offsets need it. */
export async function* zipPieces(files: AsyncIterable<ZipFile>): AsyncGenerator<Uint8Array> {
  const written: Written[] = [];
  let offset = 0;
  for await (const { name, pieces } of files) {
    const crc = new Crc32();
    for (const piece of pieces) crc.update(piece);
    const size = pieces.reduce((total, piece) => total + piece.length, 0);
    const entry = { nameBytes: new TextEncoder().encode(name), crc: crc.value, size, offset };
    const header = localHeader(entry);
    yield header;
    yield* pieces;
    written.push(entry);
    offset += header.length + size;
  }
  const directory = written.map(directoryEntry);
  yield* directory;
  yield endRecords(
    written.length,
    offset,
    directory.reduce((total, { length }) => total + length, 0),
  );
}

/** The fields of a record, little-endian: bytes and value of each. */
function record(fields: readonly (readonly [bytes: 2 | 4 | 8, value: number])[], ...tail: Uint8Array[]): Uint8Array {
  const length = fields.reduce((total, [bytes]) => total + bytes, 0);
  const out = new Uint8Array(tail.reduce((total, part) => total + part.length, length));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else if (bytes === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += bytes;
  }
  for (const part of tail) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const clip = (value: number): number => Math.min(value, FULL);

/** The zip64 extra field for values that do not fit into 32 bits. */
function extra64(values: readonly number[]): Uint8Array {
  const large = values.filter((value) => value >= FULL);
  if (large.length === 0) return new Uint8Array(0);
  return record([[2, 1], [2, 8 * large.length], ...large.map((value) => [8, value] as const)]);
}

/** The fields from the required version to the length of the name. */
const common = ({ crc, size, nameBytes }: Written) =>
  [
    [2, VERSION64],
    [2, UTF8_NAME],
    [2, 0],
    [2, 0],
    [2, DATE],
    [4, crc],
    [4, clip(size)],
    [4, clip(size)],
    [2, nameBytes.length],
  ] as const;

function localHeader(entry: Written): Uint8Array {
  const extra = extra64([entry.size, entry.size]);
  return record([[4, 0x04034b50], ...common(entry), [2, extra.length]], entry.nameBytes, extra);
}

function directoryEntry(entry: Written): Uint8Array {
  const extra = extra64([entry.size, entry.size, entry.offset]);
  const rest = [
    [2, extra.length],
    [2, 0],
    [2, 0],
    [2, 0],
    [4, 0],
    [4, clip(entry.offset)],
  ] as const;
  return record([[4, 0x02014b50], [2, VERSION64], ...common(entry), ...rest], entry.nameBytes, extra);
}

function endRecords(count: number, begin: number, length: number): Uint8Array {
  const fits = count < 0xffff && begin + length < FULL;
  const short = Math.min(count, 0xffff);
  const end = record([
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, short],
    [2, short],
    [4, clip(length)],
    [4, clip(begin)],
    [2, 0],
  ]);
  if (fits) return end;
  const end64 = record([
    [4, 0x06064b50],
    [8, 44],
    [2, VERSION64],
    [2, VERSION64],
    [4, 0],
    [4, 0],
    [8, count],
    [8, count],
    [8, length],
    [8, begin],
  ]);
  const locator = record([
    [4, 0x07064b50],
    [4, 0],
    [8, begin + length],
    [4, 1],
  ]);
  return record([], end64, locator, end);
}
