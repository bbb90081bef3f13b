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

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint64: BigUint64Array,
  uint32: Uint32Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const satisfies { readonly [D in HostDtype]: unknown };

/** Half precision, which has no typed array. */
const HALVES = { float16: widenFloat16, bfloat16: widenBfloat16 } as const;

const isHalf = (dtype: StoredDtype): dtype is keyof typeof HALVES => Object.hasOwn(HALVES, dtype);

export const isHostDtype = (text: string): text is HostDtype => Object.hasOwn(ARRAYS, text);

export const STORED_DTYPES = Object.keys({ ...ARRAYS, ...HALVES }) as readonly StoredDtype[];

/** Whether `data` is the type of array that holds values of this dtype. */
export const fitsDtype = (dtype: HostDtype, data: HostData): boolean =>
  data instanceof ARRAYS[dtype] || (ARRAYS[dtype] === Uint8Array && data instanceof Uint8ClampedArray);

/** Bytes per value in a file. */
export const storedSize = (dtype: StoredDtype): number => (isHalf(dtype) ? 2 : ARRAYS[dtype].BYTES_PER_ELEMENT);

/** The dtype of an array after it is read. */
export const widened = (stored: StoredDtype): HostDtype => (isHalf(stored) ? "float32" : stored);

/** The values in `bytes` (little-endian, row-major). Takes ownership of the buffer. */
export function decodeHostArray(dtype: StoredDtype, shape: readonly number[], bytes: ArrayBuffer): HostArray {
  return { dtype: widened(dtype), shape, data: isHalf(dtype) ? HALVES[dtype](bytes) : new ARRAYS[dtype](bytes) };
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
