import { defect } from "./errors.js";
import type { ConstantValue, Kernel, Params } from "./kernel.js";
import type { Tunable, Tuning, Variant } from "./tuning.js";

/** A part of an operand, in bytes; the offset is a multiple of {@link BINDING_ALIGNMENT}, of half of it for halves. */
export interface OperandPart {
  readonly operand: string;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** A small buffer in place of an operand that the kernel does not touch. */
export interface Dummy {
  readonly dummy: string;
}

/** For bindings that are only read, which may all share one buffer. */
export const UNREAD: Dummy = { dummy: "unread" };

/** For a binding that may be written. WebGPU requires a separate buffer for each, so each takes a name of its own. */
export const unwritten = (name: string): Dummy => ({ dummy: name });

/** The device's fault record, see {@link FAULT}. */
export const FAULT_RECORD = { fault: true } as const;

/** What a step binds: an operand of the plan, whole or in part, or a stand-in for an operand that is not used. */
export type Binding = string | OperandPart | Dummy | typeof FAULT_RECORD;

/** One dispatch. */
export interface Step {
  readonly kernel: Kernel;
  readonly constants?: Readonly<Record<string, ConstantValue>>;
  readonly params: Params;
  /** By the names of the bindings in the kernel. */
  readonly operands: Readonly<Record<string, Binding>>;
  /** The bindings whose elements are halves (float16) in place of floats. Default: none. */
  readonly half?: readonly string[];
  readonly grid: Grid;
}

/** What an op does on the device, as data: the device layer runs the steps in order. */
export interface Plan {
  readonly steps: readonly Step[];
  /** Temporary buffers by operand name, in bytes. */
  readonly scratch?: Readonly<Record<string, number>>;
  /** Where several steps add to operand y: its elements. */
  readonly sums?: number;
  /** The choice of tiles, where the plan had one. */
  readonly tunable?: Tunable;
}

/** What a plan may assume about a device. */
export interface Capabilities {
  /** Lanes of a subgroup where their number is fixed, or kernels ask for so many; 0 without the feature. */
  readonly subgroupSize: number;
  /**
   * The variants of kernels that are worth trying, best first. Default: `subgroup` where their size is known, then
   * `register`.
   */
  readonly variants?: readonly Variant[];
  /** The most pixels or rows that a team of a subgroup may own. Default 16. */
  readonly tallest?: number;
  /** Size of the largest part of a buffer that can be bound, in bytes. */
  readonly bindingLimit: number;
  /** Workgroups that keep the device busy. Reductions are split into about this many. */
  readonly parallelism: number;
  /** Whether compiling an unrolled loop costs more than running one that is not. Default: no. */
  readonly keepsLoops?: boolean;
  /** Tiles that measured best on the device; without them rules choose. */
  readonly tuning?: Tuning | undefined;
}

export type Grid = readonly [x: number, y: number, z: number];

/** Offsets of storage bindings must be a multiple of this on every adapter (the WebGPU default limit). */
export const BINDING_ALIGNMENT = 256;
/** The most dimensions that a tensor may have: kernels take this many sizes and strides for each operand. */
export const MAX_RANK = 8;
/** The bits of a quiet NaN, which WGSL cannot spell: kernels take them as a parameter. */
export const NAN_BITS = 0x7fc00000;
const MAX_GROUPS = 65535;

/**
 * Folds a number of workgroups into a grid of at most 65,535 in each dimension, nearly square so that few workgroups
 * are idle. The kernel computes `id = x + y * num_workgroups.x` and returns when id is past its count. Throws
 * `defect` when no such grid is large enough.
 */
export function foldGrid(count: number): Grid {
  if (count <= MAX_GROUPS) return [Math.max(1, count), 1, 1];
  const x = Math.min(MAX_GROUPS, Math.ceil(Math.sqrt(count)));
  const y = Math.ceil(count / x);
  if (y > MAX_GROUPS) throw defect(`a grid of ${count} workgroups exceeds 65535 x 65535`);
  return [x, y, 1];
}

/** The smallest aligned part that holds the elements [begin, end) of four bytes each. */
export function operandPart(operand: string, begin: number, end: number): OperandPart {
  const byteOffset = Math.floor((begin * 4) / BINDING_ALIGNMENT) * BINDING_ALIGNMENT;
  return { operand, byteOffset, byteLength: end * 4 - byteOffset };
}

export const ceilDiv = (a: number, b: number): number => Math.ceil(a / b);
export const roundUp = (a: number, b: number): number => Math.ceil(a / b) * b;
export const product = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1);
