import { describe } from "./describe.js";
import { invalidArgument } from "./errors.js";

/** Every name of an options type: the compiler keeps the list whole. */
export type OptionNames<T> = { readonly [K in keyof Required<T>]: true };

/** Words of other libraries for options that go by another name here. */
const SYNONYMS: Readonly<Record<string, string>> = {
  axis: "dim",
  kernel: "kernelSize",
  filtersize: "kernelSize",
  rate: "p",
  learningrate: "lr",
};

/**
 * Throws `invalid-argument` unless `given` is an object of options of these names: one that is misspelt, or given by its place, would leave the
 * default in force without a word.
 */
export function checkOptions<T extends object>(op: string, given: unknown, names: OptionNames<T>): void {
  const known = Object.keys(names);
  if (typeof given !== "object" || given === null || Array.isArray(given) || ArrayBuffer.isView(given)) {
    throw invalidArgument(
      `${op}: ${given === undefined ? "there are no options" : `the options are ${describe(given)}`}, expected an object`,
      `pass { ${known.join(", ")} } or some of them`,
    );
  }
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(names, name)) continue;
    const close = nearest(name, known);
    throw invalidArgument(
      `${op}: there is no option "${name}"${close ? `; did you mean "${close}"?` : ""}`,
      `the options are ${known.join(", ")}`,
    );
  }
}

const plain = (name: string): string => name.replace(/[^a-z0-9]/gi, "").toLowerCase();

/** The known name that was most likely meant. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = SYNONYMS[plain(name)] ?? name;
  const ranked = known
    .map((candidate) => ({ candidate, away: editDistance(plain(wanted), plain(candidate)) }))
    .sort((a, b) => a.away - b.away);
  const best = ranked[0];
  return best && best.away <= Math.max(1, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined;
}

/** Insertions, deletions and replacements between two words (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
