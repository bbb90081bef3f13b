import { brief } from "../../plain/errors.js";
import { corruptFile, firstTwice } from "../files/errors.js";
import type { Source } from "../files/source.js";

/** What the central directory of a zip archive says about an entry. */
export interface ZipRecord {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  /** Bytes in the archive. */
  readonly packed: number;
  /** Bytes, uncompressed. */
  readonly size: number;
  /** Position of the local header. */
  readonly local: number;
  /** Position of the next entry or the directory. */
  readonly limit: number;
}

const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_LENGTH = 46;
const LOCAL_LENGTH = 30;
const END = 0x06054b50;
const END_LENGTH = 22;
const MAX_COMMENT = 0xffff;
const END64 = 0x06064b50;
const END64_LENGTH = 56;
const LOCATOR64 = 0x07064b50;
const LOCATOR64_LENGTH = 20;
const EXTRA64 = 0x0001;
const FULL = 0xffffffff;

/** The entries of the directory, which end where its end record begins. */
interface Extent {
  readonly count: number;
  readonly begin: number;
  readonly end: number;
}

/** The central directory, in its own order. Throws if records overlap, repeat a name or leave the archive. */
export async function readDirectory(source: Source): Promise<ZipRecord[]> {
  const fail = (problem: string): Error => corruptFile(source, problem);
  const { count, begin, end } = await findDirectory(source);
  if (begin > end) throw fail("its zip directory lies outside the file");
  const bytes = new Uint8Array(await source.read(begin, end));
  const view = new DataView(bytes.buffer);
  const records: Omit<ZipRecord, "limit">[] = [];
  for (let at = 0, i = 0; i < count; i++) {
    const next = at + DIRECTORY_LENGTH <= bytes.length ? recordEnd(view, at) : Number.POSITIVE_INFINITY;
    if (next > bytes.length || view.getUint32(at, true) !== DIRECTORY_ENTRY) {
      throw fail(`entry ${i} of its zip directory is damaged`);
    }
    records.push(readRecord(bytes.subarray(at, next), (problem) => fail(`entry ${i} of its zip directory ${problem}`)));
    at = next;
  }
  const twice = firstTwice(records);
  if (twice !== undefined) throw fail(`two entries of its zip directory are called ${brief(twice)}`);
  return withLimits(records, begin, fail);
}

async function findDirectory(source: Source): Promise<Extent> {
  const from = Math.max(0, source.size - LOCATOR64_LENGTH - END_LENGTH - MAX_COMMENT);
  const view = new DataView(await source.read(from, source.size));
  for (let at = view.byteLength - END_LENGTH; at >= 0; at--) {
    const fits =
      view.getUint32(at, true) === END && at + END_LENGTH + view.getUint16(at + 20, true) === view.byteLength;
    if (!fits) continue;
    const extent = { count: view.getUint16(at + 10, true), begin: view.getUint32(at + 16, true), end: from + at };
    const locator = at - LOCATOR64_LENGTH;
    const zip64 = locator >= 0 && view.getUint32(locator, true) === LOCATOR64;
    return zip64 ? findDirectory64(source, safe(view, locator + 8), from + locator) : extent;
  }
  throw corruptFile(source, "it has no zip directory at its end");
}

/** The zip64 end record at `at`, which lies before its locator. */
async function findDirectory64(source: Source, at: number, locator: number): Promise<Extent> {
  const fail = (): Error => corruptFile(source, "its zip64 directory is damaged");
  if (at + END64_LENGTH > locator) throw fail();
  const view = new DataView(await source.read(at, at + END64_LENGTH));
  if (view.getUint32(0, true) !== END64) throw fail();
  return { count: safe(view, 32), begin: safe(view, 48), end: at };
}

/** A 64-bit integer as a number. A value beyond any file's size becomes infinite. */
function safe(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  return Number.isSafeInteger(value) ? value : Number.POSITIVE_INFINITY;
}

const recordEnd = (view: DataView, at: number): number =>
  at + DIRECTORY_LENGTH + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);

function readRecord(bytes: Uint8Array, fail: (problem: string) => Error): Omit<ZipRecord, "limit"> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const extraBegin = DIRECTORY_LENGTH + view.getUint16(28, true);
  const nameBytes = bytes.slice(DIRECTORY_LENGTH, extraBegin);
  const sizes = [view.getUint32(24, true), view.getUint32(20, true), view.getUint32(42, true)];
  const extra = new DataView(bytes.buffer, bytes.byteOffset + extraBegin, view.getUint16(30, true));
  const [size, packed, local] = (sizes.includes(FULL) ? widen(sizes, extra, fail) : sizes) as [number, number, number];
  return {
    name: new TextDecoder().decode(nameBytes),
    nameBytes,
    flags: view.getUint16(8, true),
    method: view.getUint16(10, true),
    crc: view.getUint32(16, true),
    packed,
    size,
    local,
  };
}

/** The zip64 extra field holds the 64-bit values of the fields that overflowed, in order. */
function widen(values: readonly number[], extra: DataView, fail: (problem: string) => Error): number[] {
  let at = 0;
  while (at + 4 <= extra.byteLength && extra.getUint16(at, true) !== EXTRA64) at += 4 + extra.getUint16(at + 2, true);
  const end = at + 4 <= extra.byteLength ? at + 4 + extra.getUint16(at + 2, true) : 0;
  at += 4;
  return values.map((value) => {
    if (value !== FULL) return value;
    if (at + 8 > end || end > extra.byteLength) throw fail("lacks its 64-bit sizes");
    at += 8;
    return safe(extra, at - 8);
  });
}

/** Each entry ends where the next one or the directory starts. This refuses bombs made of overlapping entries. */
function withLimits(
  records: readonly Omit<ZipRecord, "limit">[],
  directory: number,
  fail: (problem: string) => Error,
): ZipRecord[] {
  const limits = new Map<object, number>();
  let limit = directory;
  for (const record of [...records].sort((a, b) => b.local - a.local)) {
    if (record.local + LOCAL_LENGTH + record.nameBytes.length + record.packed > limit) {
      throw fail(`entry ${brief(record.name)} overlaps the one after it or the directory`);
    }
    limits.set(record, limit);
    limit = record.local;
  }
  return records.map((record) => ({ ...record, limit: limits.get(record)! }));
}
