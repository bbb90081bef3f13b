import type { FileKind } from "./mutate/index.js";

/** A valid file to begin with. */
export interface Seed {
  readonly name: string;
  readonly kind: FileKind;
  readonly bytes: Uint8Array;
}

/** A target that is ready for inputs. */
export interface OpenTarget {
  readonly seeds: readonly Seed[];
  /** An error must name one of these. */
  readonly names: readonly string[];
  /**
   * Reads an input that came from the seed at this place. Returns what was read, in words that are the same for inputs
   * of one kind; throws what the reader throws, or a Finding for a wrong result.
   */
  run(bytes: Uint8Array, seed: number): Promise<string>;
}

/** One reader, or a few that take the same files. */
export interface Target {
  readonly name: string;
  /** Its part of a million inputs. */
  readonly runs: number;
  /** `scratch` is an empty folder of its own. */
  open(scratch: string): Promise<OpenTarget>;
}
