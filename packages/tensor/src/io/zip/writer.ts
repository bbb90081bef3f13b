import { Crc32 } from "./crc32.js";

export interface ZipFile {
  readonly name: string;
  readonly pieces: readonly Uint8Array[];
}

interface Written {
  readonly nameBytes: Uint8Array;
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
    const size = totalLength(pieces);
    const entry = { nameBytes: new TextEncoder().encode(name), crc: crc.value, size, offset };
    const header = localHeader(entry);
    yield* header;
    yield* pieces;
    written.push(entry);
    offset += totalLength(header) + size;
  }
  const directory = written.flatMap(directoryEntry);
  yield* directory;
  yield* endRecords(written.length, offset, totalLength(directory));
}

const totalLength = (parts: readonly Uint8Array[]): number => parts.reduce((total, { length }) => total + length, 0);

const WIDTHS: Readonly<Record<string, number>> = { H: 2, I: 4, Q: 8 };

/** A record of little-endian numbers, by the letters of Python's struct.pack: H has 2 bytes, I has 4, Q has 8. */
function pack(letters: string, ...values: readonly number[]): Uint8Array {
  const out = new Uint8Array([...letters].reduce((total, letter) => total + WIDTHS[letter]!, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const [i, letter] of [...letters].entries()) {
    const value = values[i]!;
    if (letter === "H") view.setUint16(at, value, true);
    else if (letter === "I") view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += WIDTHS[letter]!;
  }
  return out;
}

const clip = (value: number): number => Math.min(value, FULL);

/** The zip64 extra field for values that do not fit into 32 bits. */
function extra64(values: readonly number[]): Uint8Array {
  const large = values.filter((value) => value >= FULL);
  if (large.length === 0) return new Uint8Array(0);
  return pack(`HH${"Q".repeat(large.length)}`, 1, 8 * large.length, ...large);
}

/** From the required version to the length of the name. */
const COMMON = "HHHHHIIIH";
const common = ({ crc, size, nameBytes }: Written) =>
  [VERSION64, UTF8_NAME, 0, 0, DATE, crc, clip(size), clip(size), nameBytes.length] as const;

function localHeader(entry: Written): Uint8Array[] {
  const extra = extra64([entry.size, entry.size]);
  return [pack(`I${COMMON}H`, 0x04034b50, ...common(entry), extra.length), entry.nameBytes, extra];
}

function directoryEntry(entry: Written): Uint8Array[] {
  const extra = extra64([entry.size, entry.size, entry.offset]);
  const rest = [extra.length, 0, 0, 0, 0, clip(entry.offset)];
  const fields = pack(`IH${COMMON}HHHHII`, 0x02014b50, VERSION64, ...common(entry), ...rest);
  return [fields, entry.nameBytes, extra];
}

function endRecords(count: number, begin: number, length: number): Uint8Array[] {
  const short = Math.min(count, 0xffff);
  const end = pack("IHHHHIIH", 0x06054b50, 0, 0, short, short, clip(length), clip(begin), 0);
  if (count < 0xffff && begin + length < FULL) return [end];
  const sizes = [count, count, length, begin];
  const end64 = pack("IQHHIIQQQQ", 0x06064b50, 44, VERSION64, VERSION64, 0, 0, ...sizes);
  const locator = pack("IIQI", 0x07064b50, 0, begin + length, 1);
  return [end64, locator, end];
}
