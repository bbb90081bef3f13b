import { brief, type Fix, hasCode, showSome, type TensorError } from "../../plain/errors.js";
import { type Place, unsupportedFile } from "../files/errors.js";

/** An array that was left out although the rest of its file is read. */
export interface SkippedArray {
  readonly name: string;
  /** As a clause: "it is sparse". */
  readonly reason: string;
  /** Whether the array is damaged, which is an error if the whole file is read. Otherwise its kind is not supported. */
  readonly damaged: boolean;
}

export interface ReadOptions {
  /** Called for each array that is left out because its kind is not supported, such as complex numbers or text. */
  readonly onSkipped?: ((name: string, reason: string) => void) | undefined;
}

/** A {@link SkippedArray} with the error to throw if the array is needed. */
export interface LeftOut extends SkippedArray {
  readonly error: TensorError;
}

/** Leaves out a tensor of an unsupported kind. `why` completes a sentence that begins with its name: "is sparse". */
export function leaveOut(at: Place, name: string, why: string, fix: Fix): LeftOut {
  const error = unsupportedFile(at, `tensor ${brief(name)} ${why}`, fix);
  return { name, reason: `it ${why}`, damaged: false, error };
}

/** Leaves out an array that could not be opened. Rethrows errors that are not about the array. */
export function leftOut(name: string, error: unknown): LeftOut {
  if (!hasCode(error, "unsupported-file", "corrupt-file")) throw error;
  return { name, reason: String(error.details?.problem), damaged: error.code === "corrupt-file", error };
}

/** Throws if nothing in a file can be read. */
export function checkLeft(at: Place, arrays: readonly unknown[], skipped: readonly LeftOut[]): void {
  if (arrays.length > 0 || skipped.length === 0) return;
  refuseDamaged(skipped);
  if (skipped.length === 1) throw skipped[0]!.error;
  const reasons = skipped.map(({ name, reason }) => `${brief(name)}: ${reason}`);
  const list = showSome(reasons, { separator: "; " });
  throw unsupportedFile(at, `none of its arrays can be read: ${list}`, skipped[0]!.error.parts().fix);
}

/** For those who read the whole of a file: a damaged one should not be read in part. */
export function refuseDamaged(skipped: readonly LeftOut[]): void {
  const part = skipped.find(({ damaged }) => damaged);
  if (part !== undefined) throw part.error;
}
