/** The type of the numbers in a host array. Half precision is widened to float32 when it is read. */
export type HostDtype =
  | "float32"
  | "float64"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint64"
  | "uint32"
  | "uint16"
  | "uint8"
  | "bool";

/** The typed array for each {@link HostDtype}. */
export type HostData =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | BigUint64Array
  | Uint32Array
  | Uint16Array
  | Uint8Array;

/** Values on the host in row-major order, with their shape. */
export interface HostArray {
  readonly dtype: HostDtype;
  readonly shape: readonly number[];
  readonly data: HostData;
}

/** The type of the numbers in a file. */
export type StoredDtype = HostDtype | "float16" | "bfloat16";

/** What is known about an array before its values are read. */
export interface ArrayInfo {
  readonly dtype: HostDtype;
  readonly shape: readonly number[];
  /** The dtype in the file. Half precision is widened to float32 when it is read. */
  readonly stored: StoredDtype;
  /** Bytes of the values once they are read. */
  readonly byteLength: number;
}

/** An array whose values are read on demand. */
export interface LazyArray extends ArrayInfo {
  data(): Promise<HostData>;
}

interface Storage {
  readonly size: number;
  readonly decode: (bytes: ArrayBuffer) => HostData;
}

const STORAGE: { readonly [D in StoredDtype]: Storage } = {
  float32: { size: 4, decode: (bytes) => new Float32Array(bytes) },
  float64: { size: 8, decode: (bytes) => new Float64Array(bytes) },
  int64: { size: 8, decode: (bytes) => new BigInt64Array(bytes) },
  int32: { size: 4, decode: (bytes) => new Int32Array(bytes) },
  int16: { size: 2, decode: (bytes) => new Int16Array(bytes) },
  int8: { size: 1, decode: (bytes) => new Int8Array(bytes) },
  uint64: { size: 8, decode: (bytes) => new BigUint64Array(bytes) },
  uint32: { size: 4, decode: (bytes) => new Uint32Array(bytes) },
  uint16: { size: 2, decode: (bytes) => new Uint16Array(bytes) },
  uint8: { size: 1, decode: (bytes) => new Uint8Array(bytes) },
  bool: { size: 1, decode: (bytes) => new Uint8Array(bytes) },
  float16: { size: 2, decode: widenFloat16 },
  bfloat16: { size: 2, decode: widenBfloat16 },
};

export const isHostDtype = (text: string): text is HostDtype =>
  Object.hasOwn(STORAGE, text) && widened(text as StoredDtype) === text;

/** Whether `data` is the type of array that holds values of this dtype. */
export function fitsDtype(dtype: HostDtype, data: HostData): boolean {
  const own = STORAGE[dtype].decode(new ArrayBuffer(0));
  const types = own instanceof Uint8Array ? [Uint8Array, Uint8ClampedArray] : [own.constructor as typeof Uint8Array];
  return types.some((type) => data instanceof type);
}

/** Bytes per value in a file. */
export const storedSize = (dtype: StoredDtype): number => STORAGE[dtype].size;

/** The dtype of an array after it is read. */
export const widened = (stored: StoredDtype): HostDtype =>
  stored === "float16" || stored === "bfloat16" ? "float32" : stored;

/** The values in `bytes` (little-endian, row-major). Takes ownership of the buffer. */
export function decodeHostArray(dtype: StoredDtype, shape: readonly number[], bytes: ArrayBuffer): HostArray {
  return { dtype: widened(dtype), shape, data: STORAGE[dtype].decode(bytes) };
}

/** From IEEE 754 binary16: changes the bias of the exponent. Subnormal numbers have no exponent to change. */
function widenFloat16(bytes: ArrayBuffer): Float32Array {
  const stored = new Uint16Array(bytes);
  const words = new Uint32Array(stored.length);
  const values = new Float32Array(words.buffer);
  for (let i = 0; i < stored.length; i++) {
    const bits = stored[i]! & 0x7fff;
    const sign = stored[i]! & 0x8000;
    if (bits < 0x400) values[i] = (sign ? -1 : 1) * bits * 2 ** -24;
    else words[i] = (sign << 16) | (bits < 0x7c00 ? (bits << 13) + (112 << 23) : (bits << 13) | 0x7f800000);
  }
  return values;
}

/** bfloat16 is the upper half of a float32. */
function widenBfloat16(bytes: ArrayBuffer): Float32Array {
  const stored = new Uint16Array(bytes);
  const words = new Uint32Array(stored.length);
  for (let i = 0; i < stored.length; i++) words[i] = stored[i]! << 16;
  return new Float32Array(words.buffer);
}

export const elementCount = (shape: readonly number[]): number =>
  shape.includes(0) ? 0 : shape.reduce((a, b) => a * b, 1);

/** The limit of PyTorch and numpy. */
const MAX_RANK = 64;

/**
 * Whether a value from a file is a valid shape: at most 64 non-negative whole numbers whose product is a safe integer.
 */
export function isShape(value: unknown): value is readonly number[] {
  if (!Array.isArray(value) || value.length > MAX_RANK) return false;
  return value.every((size) => Number.isSafeInteger(size) && size >= 0) && Number.isSafeInteger(elementCount(value));
}
