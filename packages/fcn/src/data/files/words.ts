/** A number with its noun: "1 picture", "2 pictures", "3 classes". */
export function counted(count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`;
  return `${count} ${noun}${noun.endsWith("s") ? "es" : "s"}`;
}

/** The first of many items as they stand in messages: `a, b and 3 more`. */
export const firstOf = (items: readonly string[], most: number): string =>
  items.slice(0, most).join(", ") + (items.length > most ? ` and ${items.length - most} more` : "");
