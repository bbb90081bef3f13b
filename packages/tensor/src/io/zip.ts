import { corruptFile, unsupportedFile } from "./errors.js";

/** A file inside a zip archive; `data` unpacks it and checks its length and CRC-32. */
export interface ZipEntry {
  readonly name: string;
  data(): Promise<Uint8Array>;
}

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_ENTRY = 0x04034b50;
const END_LENGTH = 22;
const MAX_COMMENT = 0xffff;
const STORED = 0;
const DEFLATED = 8;

interface Record32 {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly local: number;
}

/** The entries of a zip archive (stored or deflated, below 4 GiB), from its central directory. */
export function readZip(reader: string, file: string, bytes: Uint8Array): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (problem: string): Error => corruptFile(reader, file, problem);
  const end = findEnd(view);
  if (end < 0) throw fail("it has no zip directory at its end");
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count === 0xffff || at === 0xffffffff) throw tooLarge(reader, file);
  const entries: ZipEntry[] = [];
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== DIRECTORY_ENTRY)
      throw fail(`entry ${i} of its directory is damaged`);
    const record = readRecord(view, bytes, at);
    if (record.packed === 0xffffffff || record.size === 0xffffffff) throw tooLarge(reader, file);
    at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    entries.push({ name: record.name, data: () => unpack(reader, file, bytes, record) });
  }
  return entries;
}

function findEnd(view: DataView): number {
  const lowest = Math.max(0, view.byteLength - END_LENGTH - MAX_COMMENT);
  for (let at = view.byteLength - END_LENGTH; at >= lowest; at--) {
    if (view.getUint32(at, true) === END_OF_DIRECTORY) return at;
  }
  return -1;
}

function readRecord(view: DataView, bytes: Uint8Array, at: number): Record32 {
  const nameLength = view.getUint16(at + 28, true);
  return {
    name: new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength)),
    method: view.getUint16(at + 10, true),
    crc: view.getUint32(at + 16, true),
    packed: view.getUint32(at + 20, true),
    size: view.getUint32(at + 24, true),
    local: view.getUint32(at + 42, true),
  };
}

async function unpack(reader: string, file: string, bytes: Uint8Array, entry: Record32): Promise<Uint8Array> {
  const { name, method, packed, size, local } = entry;
  const fail = (problem: string): Error => corruptFile(reader, file, `entry ${name}: ${problem}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (local + 30 > bytes.length || view.getUint32(local, true) !== LOCAL_ENTRY)
    throw fail("its local header is damaged");
  const begin = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  if (begin + packed > bytes.length) throw fail("it reaches past the end of the file");
  if (method !== STORED && method !== DEFLATED) {
    throw unsupportedFile(reader, file, `entry ${name} is compressed by method ${method}`, "store it or use deflate");
  }
  const raw = bytes.subarray(begin, begin + packed);
  const data = method === STORED ? raw : await inflate(raw, size).catch(() => undefined);
  if (data === undefined) throw fail("its compressed data is damaged");
  if (data.length !== size) throw fail(`it has ${data.length} bytes, its directory says ${size}`);
  if (crc32(data) !== entry.crc) throw fail("its checksum does not match");
  return data;
}

/** At most `size` bytes and one more, which shows that there are too many: a small file cannot fill the memory. */
async function inflate(raw: Uint8Array, size: number): Promise<Uint8Array> {
  const stream = new Blob([raw as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream("deflate-raw"));
  const out = new Uint8Array(size);
  let at = 0;
  const chunks = stream.getReader();
  for (let next = await chunks.read(); !next.done; next = await chunks.read()) {
    const chunk = next.value as Uint8Array;
    if (at + chunk.length > size) {
      await chunks.cancel();
      throw new Error("more data than its directory says");
    }
    out.set(chunk, at);
    at += chunk.length;
  }
  return out.subarray(0, at);
}

function tooLarge(reader: string, file: string): Error {
  return unsupportedFile(reader, file, "it is a zip archive of 4 GiB or more", "save the arrays in several files");
}

/** CRC-32 of zip (polynomial 0xEDB88320, reflected). */
export function crc32(bytes: Uint8Array): number {
  const table = Uint32Array.from({ length: 256 }, (_, i) => {
    let value = i;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
