import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface HostTensor {
  readonly dtype: "float32" | "int32";
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** How far a float32 result may be off: see `tolerance`. */
export interface Budget {
  readonly terms: number;
  readonly scale: number;
}

export interface GoldenFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, HostTensor>;
}

interface HeaderEntry {
  readonly dtype: "F32" | "I32";
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/**
 * Reads test/golden/<name>.safetensors. The library's reader is not used: a fault in it must not hide or fake a
 * fault in an operator.
 */
export function readGolden(name: string): GoldenFile {
  const file = readFileSync(fileURLToPath(new URL(`../golden/${name}.safetensors`, import.meta.url)));
  const bytes = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
  const start = 8 + Number(new DataView(bytes).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, start - 8)));
  const { __metadata__: metadata, ...entries } = header as { __metadata__: Record<string, string> };
  const tensors = new Map<string, HostTensor>();
  for (const [key, entry] of Object.entries(entries as unknown as Record<string, HeaderEntry>)) {
    const [from, to] = entry.data_offsets;
    const length = (to - from) / 4;
    const isInt = entry.dtype === "I32";
    const data = isInt ? new Int32Array(bytes, start + from, length) : new Float32Array(bytes, start + from, length);
    tensors.set(key, { dtype: isInt ? "int32" : "float32", shape: entry.shape, data });
  }
  return { metadata, tensors };
}

export function tensorOf(file: GoldenFile, key: string): HostTensor {
  const found = file.tensors.get(key);
  if (found === undefined) throw new Error(`golden file has no tensor ${key}`);
  return found;
}

const safety = 8;
const epsilon = 2 ** -23;

/**
 * `8 * sqrt(terms) * eps * max(|want|, scale)`. Roundings of a sum of K terms walk at random, so they grow with
 * sqrt(K); each is eps/2 of a partial sum, whose size is `scale` where terms of both signs may cancel. The factor 8
 * leaves room for another order of summation and for the worst of many elements: PyTorch's own float32 uses at most
 * a fifth of it. terms 0 demands equal values.
 */
export function tolerance(want: number, budget: Budget): number {
  return safety * Math.sqrt(budget.terms) * epsilon * Math.max(Math.abs(want), budget.scale);
}

/** Throws, naming the element that is furthest outside its tolerance and how many are. */
export function expectWithin(what: string, got: ArrayLike<number>, want: HostTensor, budget: Budget): void {
  if (got.length !== want.data.length) {
    throw new Error(`${what}: ${got.length} elements, want ${want.data.length} (shape [${want.shape}])`);
  }
  let [worst, worstExcess, outside] = [-1, -1, 0];
  for (let i = 0; i < got.length; i++) {
    const error = Math.abs((got[i] ?? Number.NaN) - (want.data[i] ?? 0));
    const allowed = tolerance(want.data[i] ?? 0, budget);
    if (error <= allowed) continue;
    outside++;
    const excess = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error / Math.max(allowed, Number.MIN_VALUE);
    if (excess > worstExcess) [worst, worstExcess] = [i, excess];
  }
  if (outside === 0) return;
  const [g, w] = [got[worst] ?? Number.NaN, want.data[worst] ?? Number.NaN];
  throw new Error(
    `${what}: ${outside} of ${got.length} elements outside the tolerance; worst at ` +
      `[${unravel(worst, want.shape)}] of [${want.shape}]: got ${g}, want ${w}, off by ${Math.abs(g - w)}, ` +
      `allowed ${tolerance(w, budget)}`,
  );
}

function unravel(index: number, shape: readonly number[]): number[] {
  const at: number[] = [];
  let rest = index;
  for (const size of [...shape].reverse()) {
    at.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return at;
}

/** Euclidean norm, summed in float64. */
export function norm(data: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < data.length; i++) total += (data[i] ?? 0) ** 2;
  return Math.sqrt(total);
}
