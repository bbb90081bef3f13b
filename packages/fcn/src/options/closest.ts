import { editDistance } from "@fcn/tensor/internal";

/** How much of a name must agree for it to be what was meant. */
const LEAST_ALIKE = 0.5;
const MOST = 3;

/** The names that may have been meant by `text`, the most likely first; three at most. */
export function closest(text: string, names: readonly string[]): string[] {
  return names
    .map((name) => {
      const length = Math.max(text.length, name.length, 1);
      return { name, alike: 1 - editDistance(text.toLowerCase(), name.toLowerCase()) / length };
    })
    .filter(({ alike }) => alike > LEAST_ALIKE)
    .sort((a, b) => b.alike - a.alike)
    .slice(0, MOST)
    .map(({ name }) => name);
}

/** `did you mean a, b or c?`, or undefined where nothing is close. */
export function didYouMean(text: string, names: readonly string[]): string | undefined {
  const found = closest(text, names);
  if (found.length === 0) return undefined;
  const last = found.pop() as string;
  return `did you mean ${found.length > 0 ? `${found.join(", ")} or ` : ""}${last}?`;
}

/** Lists longer than this are not printed whole. */
const LONG = 8;

/**
 * The remedy for a name that there is not: all names where they are few, else those that may have been meant, and
 * `where` to find all.
 */
export function chooseFrom(text: string, names: readonly string[], where: string): string {
  if (names.length <= LONG) return `use one of: ${names.join(", ")}`;
  return [didYouMean(text, names), `${where} lists all ${names.length}`].filter(Boolean).join(" ");
}
