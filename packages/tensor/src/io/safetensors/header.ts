import { brief, showSome, TensorError } from "../../plain/errors.js";
import { elementCount, type HostDtype, isShape, type StoredDtype, storedSize } from "../arrays/hostArray.js";
import { corruptFile } from "../files/errors.js";
import type { Source } from "../files/source.js";
import { scanJson } from "./jsonScan.js";

/** The dtypes by their names in the format. */
const DTYPES: Readonly<Record<string, StoredDtype>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U64: "uint64",
  U32: "uint32",
  U16: "uint16",
  U8: "uint8",
  BOOL: "bool",
};
const NAMES = Object.fromEntries(Object.entries(DTYPES).map(([name, dtype]) => [dtype, name]));

/** The fix for a tensor of an unsupported dtype. */
export const KNOWN_DTYPES = `store it as one of ${Object.keys(DTYPES).join(", ")}`;

/** Names of dtypes end with their number of bits, apart from a suffix for the variant: C64, F8_E4M3, F4. */
const BITS = /^[A-Z]+(\d{1,3})(?:_\w+)?$/;

/** The limit of the reference implementation. */
const MAX_HEADER = 100_000_000;
/** The header, a tensor, its shape. */
const MAX_DEPTH = 3;

export interface Entry {
  readonly name: string;
  /** Undefined if it is not supported. */
  readonly dtype: StoredDtype | undefined;
  /** The dtype by its name in the format. */
  readonly stored: string;
  readonly shape: readonly number[];
  /** Position in the file, in bytes. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads the header of a safetensors file: 8 bytes with the length of a JSON object, then that object. The tensors must
 * have the sizes of their shapes, lie within the file and cover the data without holes or overlaps. No name may occur
 * twice.
 */
export async function readHeader(source: Source): Promise<Header> {
  const fail = (problem: string): Error => corruptFile(source, problem);
  if (source.size < 8) throw fail(`it has ${source.size} bytes, but a safetensors file has at least 8`);
  const length = Number(new DataView(await source.read(0, 8)).getBigUint64(0, true));
  if (length > MAX_HEADER || 8 + length > source.size) {
    throw fail(`its header claims to have ${length} bytes, but the file has ${source.size}`);
  }
  const json = parse(await source.read(8, 8 + length), fail);
  const { __metadata__: metadata = {}, ...tensors } = json;
  if (!isStrings(metadata)) throw fail("its __metadata__ is not a record of strings");
  const entries = Object.entries(tensors).map(([name, entry]) => readEntry(name, entry, 8 + length, source));
  checkCover(entries, 8 + length, source.size, fail);
  return { entries, metadata };
}

function parse(bytes: ArrayBuffer, fail: (problem: string) => Error): Record<string, unknown> {
  let json: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const { tooDeep, twice } = scanJson(text, MAX_DEPTH);
    if (tooDeep) throw fail(`its header nests deeper than ${MAX_DEPTH} levels`);
    if (twice !== undefined) throw fail(`its header has the name ${brief(twice)} twice in one object`);
    json = JSON.parse(text);
  } catch (error) {
    throw error instanceof TensorError ? error : fail("its header is not JSON in UTF-8");
  }
  if (!isRecord(json)) throw fail("its header is not a JSON object");
  return json;
}

function readEntry(name: string, entry: unknown, dataBegin: number, source: Source): Entry {
  const fail = (problem: string): Error => corruptFile(source, `tensor ${brief(name)}: ${problem}`);
  if (!isRecord(entry)) throw fail("its entry is not an object");
  const { dtype: stored, shape, data_offsets: offsets } = entry;
  if (!isShape(shape)) throw fail(`its shape is ${showList(shape)}`);
  if (!isOffsets(offsets)) throw fail(`its data_offsets are ${showList(offsets)}`);
  if (typeof stored !== "string") throw fail("it has no dtype");
  const dtype = Object.hasOwn(DTYPES, stored) ? DTYPES[stored] : undefined;
  const [from, to] = offsets;
  const bits = dtype === undefined ? Number(BITS.exec(stored)?.[1] ?? Number.NaN) : 8 * storedSize(dtype);
  const bytes = Math.ceil((elementCount(shape) * bits) / 8);
  if (to < from) throw fail(`its data_offsets [${from}, ${to}] hold ${to - from} bytes`);
  if (to - from !== bytes && !Number.isNaN(bytes)) {
    throw fail(
      `shape [${shape.join(", ")}] of ${brief(stored)} needs ${bytes} bytes, its data_offsets [${from}, ${to}] hold ${to - from}`,
    );
  }
  if (dataBegin + to > source.size) {
    throw fail(`it ends at byte ${dataBegin + to}, but the file has ${source.size}`);
  }
  return { name, dtype, stored, shape, begin: dataBegin + from, end: dataBegin + to };
}

function checkCover(
  entries: readonly Entry[],
  dataBegin: number,
  size: number,
  fail: (problem: string) => Error,
): void {
  const sorted = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = dataBegin;
  let previous = "the header";
  for (const { name: full, begin, end } of sorted) {
    const name = brief(full);
    if (begin < at)
      throw fail(`tensors ${previous} and ${name} overlap: bytes ${begin} to ${Math.min(at, end)} belong to both`);
    if (begin > at) throw fail(`bytes ${at} to ${begin} between ${previous} and ${name} belong to no tensor`);
    at = end;
    previous = name;
  }
  if (at !== size) throw fail(`${size - at} bytes after ${previous} belong to no tensor`);
}

/** The header bytes for tensors in this order, padded so that the data starts at a multiple of 8. */
export function encodeHeader(
  tensors: readonly { name: string; dtype: HostDtype; shape: readonly number[] }[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  let offset = 0;
  const entries = tensors.map(({ name, dtype, shape }) => {
    const begin = offset;
    offset += elementCount(shape) * storedSize(dtype);
    return [name, { dtype: NAMES[dtype], shape, data_offsets: [begin, offset] }];
  });
  const head = Object.keys(metadata).length > 0 ? [["__metadata__", metadata]] : [];
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries([...head, ...entries])));
  const bytes = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(json, 8);
  return bytes;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isStrings = (value: unknown): value is Record<string, string> =>
  isRecord(value) && Object.values(value).every((item) => typeof item === "string");
const isOffsets = (value: unknown): value is readonly [number, number] =>
  Array.isArray(value) && value.length === 2 && value.every((at) => Number.isSafeInteger(at) && at >= 0);

/** A list of numbers from a header, or whatever is in its place, without nested values. */
const showList = (value: unknown): string =>
  Array.isArray(value)
    ? `[${showSome(value.map((item) => (typeof item === "number" ? String(item) : typeof item)))}]`
    : value === undefined
      ? "missing"
      : typeof value;
