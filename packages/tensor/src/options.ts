import { describe } from "./describe.js";
import { invalidArgument } from "./errors.js";
import { editDistance, nearest } from "./nearest.js";

/** Every name of an options type: the compiler keeps the list whole. */
export type OptionNames<T> = { readonly [K in keyof Required<T>]: true };

/** Words of other libraries for options that go by another name here, in small letters alone. */
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
 *
 * @param synonyms words for options that go by another name, in small letters alone
 */
export function checkOptions<T extends object>(
  op: string,
  given: unknown,
  names: OptionNames<T>,
  synonyms: Readonly<Record<string, string>> = SYNONYMS,
): void {
  const known = Object.keys(names);
  if (typeof given !== "object" || given === null || Array.isArray(given) || ArrayBuffer.isView(given)) {
    throw invalidArgument(
      `${op}: ${given === undefined ? "there are no options" : `the options are ${describe(given)}`}, expected an object`,
      { code: `pass { ${known.join(", ")} } or some of them` },
    );
  }
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(names, name)) continue;
    const close = meant(name, known, synonyms);
    throw invalidArgument(
      `${op}: there is no option "${name}"${close ? `; did you mean "${close}"?` : ""}`,
      `the options are ${known.join(", ")}`,
    );
  }
}

const plain = (name: string): string => name.replace(/[^a-z0-9]/gi, "").toLowerCase();

/** The known name that was most likely meant. */
function meant(name: string, known: readonly string[], synonyms: Readonly<Record<string, string>>): string | undefined {
  const word = plain(name);
  const wanted = plain(Object.hasOwn(synonyms, word) ? (synonyms[word] as string) : name);
  const byWord = new Map(known.map((candidate) => [plain(candidate), candidate]));
  const [best = ""] = nearest(wanted, [...byWord.keys()], 1);
  return editDistance(wanted, best) <= Math.max(1, Math.floor(best.length / 3)) ? byWord.get(best) : undefined;
}
