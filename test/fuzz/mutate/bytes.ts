import type { Random } from "../random.js";

/** Numbers at which readers of lengths, counts and offsets go wrong. */
const LIMITS = [0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x7fffffffn, 0x80000000n, 0xfffffff8n]
  .concat([0xffffffffn, 2n ** 32n, 2n ** 33n, 2n ** 40n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 62n, 2n ** 63n - 1n])
  .concat([2n ** 63n, 2n ** 64n - 8n, 2n ** 64n - 1n]);
const SIZES = [1, 2, 4, 8] as const;

export const concat = (...parts: readonly Uint8Array[]): Uint8Array => {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};

/** Writes the low `size` bytes of a number in place, as far as they fit. */
export function putNumber(bytes: Uint8Array, at: number, value: bigint, size: number, little: boolean): void {
  for (let i = 0; i < size; i++) {
    const place = at + (little ? i : size - 1 - i);
    if (place >= 0 && place < bytes.length) bytes[place] = Number((value >> BigInt(8 * i)) & 0xffn);
  }
}

function getNumber(bytes: Uint8Array, at: number, size: number, little: boolean): bigint {
  let value = 0n;
  for (let i = 0; i < size; i++) {
    value |= BigInt(bytes[at + (little ? i : size - 1 - i)] ?? 0) << BigInt(8 * i);
  }
  return value;
}

/** A value near a limit, near the length of the file, or near what stands there. */
function boundary(r: Random, bytes: Uint8Array, old: bigint): bigint {
  const kind = r.below(4);
  const shift = BigInt(r.below(5)) - 2n;
  if (kind === 0) return BigInt(bytes.length) + shift;
  if (kind === 1) return old + (r.chance(0.5) ? shift : BigInt(r.below(256)) - 128n);
  return r.pick(LIMITS) + (r.chance(0.2) ? shift : 0n);
}

type Change = (bytes: Uint8Array, r: Random, other: Uint8Array) => Uint8Array;

/** A part of at most 64 bytes, now and then of any length. */
function part(bytes: Uint8Array, r: Random): [begin: number, end: number] {
  const begin = r.below(bytes.length);
  const most = r.chance(0.9) ? 64 : bytes.length;
  return [begin, Math.min(bytes.length, begin + 1 + r.below(most))];
}

const CHANGES: readonly Change[] = [
  // One bit.
  (bytes, r) => {
    const out = bytes.slice();
    if (out.length > 0) out[r.below(out.length)]! ^= 1 << r.below(8);
    return out;
  },
  // One byte.
  (bytes, r) => {
    const out = bytes.slice();
    if (out.length > 0) out[r.below(out.length)] = r.pick([0, 1, 0x7f, 0x80, 0xfe, 0xff, r.below(256)]);
    return out;
  },
  // A number of 1 to 8 bytes in either order.
  (bytes, r) => {
    const out = bytes.slice();
    const [at, size, little] = [r.below(out.length), r.pick(SIZES), r.chance(0.7)];
    putNumber(out, at, boundary(r, bytes, getNumber(bytes, at, size, little)), size, little);
    return out;
  },
  // A part is left out.
  (bytes, r) => {
    const [begin, end] = part(bytes, r);
    return concat(bytes.subarray(0, begin), bytes.subarray(end));
  },
  // A part stands twice, or at another place.
  (bytes, r) => {
    const [begin, end] = part(bytes, r);
    const at = r.chance(0.5) ? end : r.below(bytes.length);
    return concat(bytes.subarray(0, at), bytes.subarray(begin, end), bytes.subarray(at));
  },
  // A part is overwritten by another part of the file.
  (bytes, r) => {
    const out = bytes.slice();
    const [begin, end] = part(bytes, r);
    out.set(bytes.subarray(begin, end), r.below(Math.max(1, out.length - (end - begin))));
    return out;
  },
  // A part of another file.
  (bytes, r, other) => {
    const [begin, end] = part(other, r);
    const at = r.below(bytes.length);
    const rest = r.chance(0.5) ? at : Math.min(bytes.length, at + end - begin);
    return concat(bytes.subarray(0, at), other.subarray(begin, end), bytes.subarray(rest));
  },
  // The start of one and the end of the other.
  (bytes, r, other) => concat(bytes.subarray(0, r.below(bytes.length)), other.subarray(r.below(other.length))),
  // Noise or one value in a row.
  (bytes, r) => {
    const out = bytes.slice();
    const [begin, end] = part(bytes, r);
    const fill = r.chance(0.5) ? r.pick([0, 0xff, 0x20, 0x30]) : undefined;
    for (let i = begin; i < end; i++) out[i] = fill ?? r.below(256);
    return out;
  },
  // New bytes.
  (bytes, r) => {
    const at = r.below(bytes.length + 1);
    const added = Uint8Array.from({ length: 1 + r.below(16) }, () => r.below(256));
    return concat(bytes.subarray(0, at), added, bytes.subarray(at));
  },
  // The file ends early.
  (bytes, r) => bytes.slice(0, r.below(bytes.length)),
];

/** One change that knows nothing of any format. */
export function mutateBytes(bytes: Uint8Array, r: Random, other: Uint8Array): Uint8Array {
  return r.pick(CHANGES)(bytes, r, other);
}

/**
 * The file cut at each place, then numbers at their limits at each place: `index` counts them all, undefined after the
 * last.
 */
export function systematic(bytes: Uint8Array, index: number): Uint8Array | undefined {
  if (index < bytes.length) return bytes.slice(0, index);
  const values = [0n, 1n, 0x7fffffffn, 0xffffffffn, 2n ** 64n - 1n, BigInt(bytes.length)];
  const step = index - bytes.length;
  const at = Math.floor(step / (values.length * 3));
  if (at >= bytes.length) return undefined;
  const out = bytes.slice();
  const size = ([2, 4, 8] as const)[Math.floor(step / values.length) % 3] as number;
  putNumber(out, at, values[step % values.length] as bigint, size, at % 2 === 0 || size !== 4);
  return out;
}
