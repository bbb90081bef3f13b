import { crc32, deflateRawSync, deflateSync, inflateRawSync, inflateSync } from "node:zlib";
import type { Random } from "../random.js";
import { concat, mutateBytes } from "./bytes.js";
import { mutateJson } from "./json.js";
import { mutatePickle } from "./pickle.js";

/**
 * A change of the inside of a file that leaves lengths and checksums around it right; undefined where the outside is
 * damaged.
 */
export type InnerChange = (bytes: Uint8Array, r: Random, other: Uint8Array) => Uint8Array | undefined;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

interface ZipEntry {
  readonly name: Uint8Array;
  readonly packed: boolean;
  readonly data: Uint8Array;
}

/** The entries of a whole zip archive by its directory. */
function unzip(bytes: Uint8Array): ZipEntry[] {
  const view = viewOf(bytes);
  const end = bytes.length - 22;
  let at = view.getUint32(end + 16, true);
  return Array.from({ length: view.getUint16(end + 10, true) }, () => {
    const [method, size] = [view.getUint16(at + 10, true), view.getUint32(at + 20, true)];
    const [nameLength, extra] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true)];
    const local = view.getUint32(at + 42, true);
    const name = bytes.slice(at + 46, at + 46 + nameLength);
    const begin = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const stored = bytes.slice(begin, begin + size);
    at += 46 + nameLength + extra + view.getUint16(at + 32, true);
    return { name, packed: method === 8, data: method === 8 ? new Uint8Array(inflateRawSync(stored)) : stored };
  });
}

function numbers(...fields: readonly (readonly [size: 2 | 4, value: number])[]): Uint8Array {
  const out = new Uint8Array(fields.reduce((sum, [size]) => sum + size, 0));
  const view = viewOf(out);
  let at = 0;
  for (const [size, value] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return out;
}

function zipOf(entries: readonly ZipEntry[]): Uint8Array {
  const locals: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, packed, data } of entries) {
    const stored = packed ? new Uint8Array(deflateRawSync(data)) : data;
    const common = [
      numbers([2, 20], [2, 0], [2, packed ? 8 : 0], [4, 0], [4, crc32(data)], [4, stored.length], [4, data.length]),
      numbers([2, name.length], [2, 0]),
    ];
    locals.push(numbers([4, 0x04034b50]), ...common, name, stored);
    directory.push(numbers([4, 0x02014b50], [2, 20]), ...common);
    directory.push(numbers([2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), name);
    offset += 30 + name.length + stored.length;
  }
  const records = concat(...directory);
  const count = entries.length;
  const end = numbers([4, 0x06054b50], [4, 0], [2, count], [2, count], [4, records.length], [4, offset], [2, 0]);
  return concat(...locals, records, end);
}

/** An entry of a zip archive, its checksum right again: `.npy` headers, pickles, numbers. */
export const mutateZip: InnerChange = (bytes, r, other) => {
  const entries = attempt(() => unzip(bytes));
  if (entries === undefined || entries.length === 0) return undefined;
  const place = r.below(entries.length);
  const entry = entries[place] as ZipEntry;
  const choice = r.below(10);
  if (choice === 0)
    entries.splice(place, 0, { ...entry, name: utf8(`${textOf(entry.name)}${r.pick(["", "2", "/"])}`) });
  else if (choice === 1) entries.splice(place, 1);
  else if (choice === 2) entries[place] = { ...entry, packed: !entry.packed };
  else if (choice === 3) entries[place] = { ...entry, name: mutateBytes(entry.name, r, entry.name) };
  else if (choice === 4 && r.chance(0.05)) entries[place] = { ...entry, packed: true, data: bomb(entry.data, r) };
  else entries[place] = { ...entry, data: changeEntry(entry, r, other) };
  return attempt(() => zipOf(entries));
};

function changeEntry({ name, data }: ZipEntry, r: Random, other: Uint8Array): Uint8Array {
  if (textOf(name).endsWith(".pkl")) return mutatePickle(data, r) ?? mutateBytes(data, r, other);
  if (textOf(name).endsWith(".npy") && r.chance(0.7)) return mutateNpy(data, r, other) ?? data;
  return mutateBytes(data, r, other);
}

/** Much that packs to little. */
const bomb = (data: Uint8Array, r: Random): Uint8Array =>
  concat(data, new Uint8Array(r.chance(0.05) ? 70 * 2 ** 20 : r.pick([2 ** 12, 2 ** 16, 2 ** 18, 2 ** 20])));

const LITERALS = [
  "'<f4'",
  "'>f8'",
  "'|O'",
  "'<c8'",
  "True",
  "False",
  "(3, 4)",
  "(0,)",
  "()",
  "(-1,)",
  "(2**63,)",
].concat(["(9223372036854775807,)", "(4294967296, 4294967296)", "(1e3,)", "[('a', '<f4')]", "'<U5'", "None"]);

/** The header of a `.npy` file, its length right again. */
export const mutateNpy: InnerChange = (bytes, r, other) => {
  if (bytes.length < 12) return undefined;
  const wide = (bytes[6] ?? 1) > 1;
  const begin = wide ? 12 : 10;
  const length = wide ? viewOf(bytes).getUint32(8, true) : viewOf(bytes).getUint16(8, true);
  if (begin + length > bytes.length) return undefined;
  const header = textOf(bytes.subarray(begin, begin + length));
  const values = [...header.matchAll(/'[<>|=][^']*'|True|False|\([^()]*\)/g)];
  const value = values.length > 0 && r.chance(0.6) ? r.pick(values) : undefined;
  const changed =
    value === undefined
      ? mutateBytes(utf8(header), r, other)
      : utf8(header.slice(0, value.index) + r.pick(LITERALS) + header.slice(value.index + value[0].length));
  const size = wide ? numbers([4, changed.length]) : numbers([2, Math.min(changed.length, 0xffff)]);
  return concat(bytes.subarray(0, 8), size, changed, bytes.subarray(begin + length));
};

/** The JSON header of a safetensors file, its length right again. */
export const mutateSafetensors: InnerChange = (bytes, r, other) => {
  if (bytes.length < 9) return undefined;
  const length = Number(viewOf(bytes).getBigUint64(0, true));
  if (8 + length > bytes.length) return undefined;
  const header = bytes.subarray(8, 8 + length);
  const json = r.chance(0.8) ? mutateJson(textOf(header), r) : undefined;
  const changed = json === undefined ? mutateBytes(header, r, other) : utf8(json);
  const size = new Uint8Array(8);
  viewOf(size).setBigUint64(0, BigInt(changed.length), true);
  return concat(size, changed, bytes.subarray(8 + length));
};

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

function chunksOf(bytes: Uint8Array): Chunk[] {
  const chunks: Chunk[] = [];
  const view = viewOf(bytes);
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    chunks.push({ type, data: bytes.slice(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

function pngOf(start: Uint8Array, chunks: readonly Chunk[]): Uint8Array {
  const parts = chunks.map(({ type, data }) => {
    const body = concat(
      Uint8Array.from(type, (letter) => letter.charCodeAt(0)),
      data,
    );
    const out = new Uint8Array(8 + body.length);
    viewOf(out).setUint32(0, data.length);
    out.set(body, 4);
    viewOf(out).setUint32(out.length - 4, crc32(body));
    return out;
  });
  return concat(start, ...parts);
}

/** A chunk of a PNG file, its checksum right again; of the image data what is packed in it. */
export const mutatePng: InnerChange = (bytes, r, other) => {
  const chunks = attempt(() => chunksOf(bytes));
  if (chunks === undefined || chunks.length === 0) return undefined;
  const place = r.below(chunks.length);
  const chunk = chunks[place] as Chunk;
  const choice = r.below(8);
  if (choice === 0) chunks.splice(place, 1);
  else if (choice === 1) chunks.splice(r.below(chunks.length), 0, chunk);
  else if (choice === 2) {
    const type = r.pick(["IDAT", "PLTE", "tRNS", "eXIf", "IEND", "gAMA", "IHDR"]);
    chunks.splice(place, 0, { type, data: r.chance(0.5) ? chunk.data : new Uint8Array(r.below(20)) });
  } else chunks[place] = { ...chunk, data: changeChunk(chunk, r, other) };
  return pngOf(bytes.subarray(0, 8), chunks);
};

function changeChunk({ type, data }: Chunk, r: Random, other: Uint8Array): Uint8Array {
  if (type !== "IDAT" || r.chance(0.3)) return mutateBytes(data, r, other);
  const plain = attempt(() => new Uint8Array(inflateSync(data)));
  if (plain === undefined) return mutateBytes(data, r, other);
  if (r.chance(0.02)) return new Uint8Array(deflateSync(bomb(plain, r)));
  return new Uint8Array(deflateSync(mutateBytes(plain, r, other)));
}

/** A variable of a MAT-file of version 5, unpacked where it is packed, and packed again. */
export const mutateMat: InnerChange = (bytes, r, other) => {
  if (bytes.length < 136) return undefined;
  const little = bytes[126] === 0x49;
  const view = viewOf(bytes);
  const parts: Uint8Array[] = [];
  for (let at = 128; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, little);
    parts.push(bytes.slice(at, at + 8 + length));
    at += 8 + length;
  }
  const place = r.below(parts.length);
  const [head, body] = [parts[place]?.subarray(0, 8), parts[place]?.subarray(8)];
  if (head === undefined || body === undefined) return undefined;
  const isPacked = viewOf(head).getUint32(0, little) === 15;
  const plain = isPacked ? attempt(() => new Uint8Array(inflateSync(body))) : body;
  if (plain === undefined) return undefined;
  const changed = r.chance(0.01) ? bomb(plain, r) : mutateBytes(plain, r, other);
  const packed = isPacked ? new Uint8Array(deflateSync(changed)) : changed;
  const size = head.slice();
  viewOf(size).setUint32(4, packed.length, little);
  parts[place] = concat(size, packed);
  return concat(bytes.subarray(0, 128), ...parts);
};
