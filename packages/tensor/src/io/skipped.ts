import { brief, type Fix, hasCode, showSome, type TensorError } from "../plain/errors.js";
import { type Place, unsupportedFile } from "./errors.js";

/** An array that was left out while the rest of its file is read. */
export interface SkippedArray {
  readonly name: string;
  /** As a clause: "it is sparse". */
  readonly reason: string;
  /** Whether it is damaged: who reads the whole file gets an error then. Else it is of a kind that is not read. */
  readonly damaged: boolean;
}

export interface ReadOptions {
  /**
   * Called for each array that is left out because it is of a kind that is not read, such as complex numbers or text.
   */
  readonly onSkipped?: ((name: string, reason: string) => void) | undefined;
}

/** A {@link SkippedArray} with the error for whoever needs it. */
export interface LeftOut extends SkippedArray {
  readonly error: TensorError;
}

/** A tensor of a kind that is not read; `why` goes on from its name: "is sparse". */
export function leaveOut(at: Place, name: string, why: string, fix: Fix): LeftOut {
  const error = unsupportedFile(at, `tensor ${brief(name)} ${why}`, fix);
  return { name, reason: `it ${why}`, damaged: false, error };
}

/** What could not be opened at the place `at`; only what is wrong with an array leaves it out. */
export function leftOut(at: Place, name: string, error: unknown): LeftOut {
  if (!hasCode(error, "unsupported-file", "corrupt-file")) throw error;
  const start = `${at.reader}: ${at.file}: `;
  return { name, reason: error.message.replace(start, ""), damaged: error.code === "corrupt-file", error };
}

/** Throws where nothing of a file is left to be read. */
export function checkLeft(at: Place, arrays: readonly unknown[], skipped: readonly LeftOut[]): void {
  if (arrays.length > 0 || skipped.length === 0) return;
  refuseDamaged(skipped);
  if (skipped.length === 1) throw skipped[0]!.error;
  const list = showSome(skipped.map(describeSkipped), { separator: "; " });
  throw unsupportedFile(at, `none of its arrays can be read: ${list}`, skipped[0]!.error.parts().fix);
}

/** A damaged file is not read in part by those who read the whole of it. */
export function refuseDamaged(skipped: readonly LeftOut[]): void {
  const part = skipped.find(({ damaged }) => damaged);
  if (part !== undefined) throw part.error;
}

/** As it stands in messages. */
const describeSkipped = ({ name, reason }: SkippedArray): string => `${brief(name)}: ${reason}`;
