import { describe } from "./describe.js";
import { invalidArgument, showValue } from "./errors.js";
import { editDistance, nearest } from "./nearest.js";
import type { Rule, RulesOf } from "./rules.js";

/** Names that other libraries have for options, in lower case without separators. */
const SYNONYMS: Readonly<Record<string, string>> = {
  axis: "dim",
  kernel: "kernelSize",
  filtersize: "kernelSize",
  rate: "p",
  learningrate: "lr",
};

/**
 * Throws `invalid-argument` unless `given` is an object whose values obey their rules; undefined counts as absent. An
 * unknown option is refused, since a misspelt one would silently leave the default in force; the error suggests the
 * name that was most likely meant.
 *
 * @param synonyms other names for options, in lower case without separators
 */
export function checkOptions<T extends object>(
  op: string,
  given: unknown,
  rules: RulesOf<T>,
  synonyms: Readonly<Record<string, string>> = SYNONYMS,
): void {
  const known = Object.keys(rules);
  if (typeof given !== "object" || given === null || Array.isArray(given) || ArrayBuffer.isView(given)) {
    throw invalidArgument(
      `${op}: ${given === undefined ? "the options are missing" : `the options are ${describe(given)}`}, expected an object`,
      { code: `pass { ${known.join(", ")} } or some of them` },
    );
  }
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(rules, name)) {
      const close = meant(name, known, synonyms);
      throw invalidArgument(
        `${op}: there is no option "${name}"${close ? `; did you mean "${close}"?` : ""}`,
        `the options are ${known.join(", ")}`,
      );
    }
    if (value !== undefined) checkValue(op, name, value, rules[name as keyof T]);
  }
  for (const [name, rule] of Object.entries<Rule<unknown>>(rules)) {
    if (rule.isRequired) checkValue(op, name, (given as Readonly<Record<string, unknown>>)[name], rule);
  }
}

/** Throws `invalid-argument` unless the value of an option or argument obeys its rule. */
export const checkValue = (op: string, name: string, value: unknown, rule: Rule<unknown>): void =>
  checkValues(op, [[name, value, rule]]);

/** Throws `invalid-argument` with all values that break their rules. */
export function checkValues(
  op: string,
  values: readonly (readonly [name: string, value: unknown, rule: Rule<unknown>])[],
): void {
  const wrong = values.filter(([, value, { holds }]) => !holds(value));
  if (wrong.length === 0) return;
  const problems = wrong.map(
    ([name, value, { what }]) => `${name} is ${value === undefined ? "missing" : showValue(value)}, expected ${what}`,
  );
  const fixes = wrong.map(([name, , { what }]) => `pass ${name} as ${what}`);
  throw invalidArgument(`${op}: ${problems.join("; ")}`, fixes.join("; "));
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
