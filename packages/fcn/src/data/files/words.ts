/** A number with its noun: "1 image", "2 images", "3 classes". */
export function counted(count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`;
  return `${count} ${noun}${noun.endsWith("s") ? "es" : "s"}`;
}

/** The first `most` lines, followed by one that counts the others: `and 3 more`, before `rest`. */
export const firstLines = (lines: readonly string[], most: number, rest: string): string[] => [
  ...lines.slice(0, most),
  ...(lines.length > most ? [`and ${lines.length - most} more${rest}`] : []),
];
