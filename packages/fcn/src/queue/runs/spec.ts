import type { ToldError } from "../../data/files/errors.js";

/** A file of weights, and the bytes that it must have. */
export interface NamedWeights {
  readonly address: string;
  readonly sha256: string;
}

export type RunKind = "predict" | "evaluate" | "sweep";

/** What a run asks for. It is data: nothing of it is executed, and workers check it as a command line. */
export interface RunSpec {
  readonly kind: RunKind;
  /** The version of this library that asked. */
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** Items a chunk; by measured speed if it is absent. */
  readonly chunk?: number;
  /** Files that workers load, with their digests. */
  readonly weights: readonly NamedWeights[];
  /** What the kind of run needs besides. */
  readonly task: unknown;
}

export type RunState = "running" | "done" | "failed" | "cancelled";

/** A run as its record says. */
export interface Run {
  readonly id: string;
  readonly spec: RunSpec;
  readonly state: RunState;
  /** Whether all that only a running one needs is removed. */
  readonly isClosed: boolean;
  /** Items so far: images, samples or trials. */
  readonly total: number;
  /** Items that chunks have been made of. */
  readonly next: number;
  /** Number of chunks so far. */
  readonly chunks: number;
  /** Why a failed run failed. */
  readonly error?: ToldError;
  /** What keeps it from going on, such as a network that is away. */
  readonly problem?: ToldError;
  /** What the kind of run makes of its parts, of a run that is done. */
  readonly result?: unknown;
}

/** Items [from, to) of a run. */
export interface Chunk {
  readonly k: number;
  readonly from: number;
  readonly to: number;
}

/** A chunk that a worker has taken. */
export interface TakenChunk extends Chunk {
  /** How often one has begun with it. */
  readonly starts: number;
}

/** A chunk that is given up, with the reason. */
export interface Aside extends Chunk {
  readonly reason: string;
}

/** What a job of the work queue holds. */
export interface ChunkJob {
  readonly run: string;
  readonly k: number;
}
