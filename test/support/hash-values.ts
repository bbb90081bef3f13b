import type { HostTensor } from "./golden.js";

/**
 * Start values and data that golden files need not store. test/golden/hash_values.py computes the same bits: integer
 * hashes, then products that are rounded to float32 once.
 */
export type StartKind = "he" | "quarterHe" | "scale" | "quarterScale" | "shift" | "zeros" | "ones" | "bilinear";

/** One entry of a state dict: name, shape and how its start value is made. */
export type StartEntry = readonly [name: string, shape: number[], kind: StartKind];

/** FNV-1a, 32 bits. */
export function nameHash(name: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}

/** MurmurHash3's finaliser over a Weyl sequence that starts at `seed`. */
function mix(seed: number, index: number): number {
  let z = (Math.imul(index, 0x9e3779b9) + seed) >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** float32 in [-bound, bound). */
export function uniform(name: string, shape: readonly number[], bound: number): Float32Array<ArrayBuffer> {
  const seed = nameHash(name);
  const scale = Math.fround(bound);
  const values = new Float32Array(elements(shape));
  // A loop: `map` calls a function a value, which nets of a hundred million parameters feel.
  for (let i = 0; i < values.length; i++) values[i] = (((mix(seed, i) >>> 8) - 2 ** 23) / 2 ** 23) * scale;
  return values;
}

function bilinear(shape: readonly number[]): Float32Array<ArrayBuffer> {
  const [inputs = 0, outputs = 0, k = 0] = shape;
  const factor = Math.floor((k + 1) / 2);
  const centre = k % 2 === 1 ? factor - 1 : factor - 0.5;
  const tent = (i: number) => 1 - Math.abs(i - centre) / factor;
  const weight = new Float32Array(elements(shape));
  for (let c = 0; c < Math.min(inputs, outputs); c++) {
    for (let i = 0; i < k * k; i++) weight[(c * outputs + c) * k * k + i] = tent(Math.floor(i / k)) * tent(i % k);
  }
  return weight;
}

function startData(kind: StartKind, name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
  switch (kind) {
    case "he":
      return uniform(name, shape, Math.sqrt(6 / elements(shape.slice(1))));
    case "quarterHe":
      return startData("he", name, shape).map((v) => v / 4);
    case "scale":
      return uniform(name, shape, 0.25).map((v) => 1 + v);
    case "quarterScale":
      return startData("scale", name, shape).map((v) => v / 4);
    case "shift":
      return uniform(name, shape, 0.125);
    case "zeros":
      return new Float32Array(elements(shape));
    case "ones":
      return new Float32Array(elements(shape)).fill(1);
    case "bilinear":
      return bilinear(shape);
  }
}

/** The state dict that a golden run starts from. */
export function startState(prefix: string, entries: readonly StartEntry[]): Record<string, HostTensor> {
  return Object.fromEntries(
    entries.map(([name, shape, kind]) => {
      return [name, { dtype: "float32", shape, data: startData(kind, `${prefix}/${name}`, shape) }];
    }),
  );
}

/** Blocks of one class with a void (255) lattice and a void top row in the second image; int32 [N, H, W]. */
export function labels(batch: number, height: number, width: number, classes: number): HostTensor {
  const data = new Int32Array(batch * height * width).map((_, i) => {
    const x = i % width;
    const y = Math.floor(i / width) % height;
    const n = Math.floor(i / (width * height));
    if ((y * 3 + x * 5) % 29 === 0 || (n === 1 && y === 0)) return 255;
    return (Math.floor(y / 11) * 5 + Math.floor(x / 13) * 3 + n * 7) % classes;
  });
  return { dtype: "int32", shape: [batch, height, width], data };
}

/** Hash noise in [-0.5, 0.5) plus a class colour in quarters; float32 [N, channels, H, W]. */
export function image(name: string, target: HostTensor, channels: number): HostTensor {
  const [n = 0, h = 0, w = 0] = target.shape;
  const shape = [n, channels, h, w];
  const data = uniform(name, shape, 0.5).map((noise, i) => {
    const c = Math.floor(i / (h * w)) % channels;
    const label = target.data[Math.floor(i / (channels * h * w)) * h * w + (i % (h * w))] ?? 0;
    return noise + (((label * 7 + c * 5) % 11) - 5) / 4;
  });
  return { dtype: "float32", shape, data };
}
