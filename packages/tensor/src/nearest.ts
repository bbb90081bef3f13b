/** The `count` names that are most like `text`, the closest first, by edit distance relative to their length. */
export function nearest(text: string, names: readonly string[], count = 3): string[] {
  return names
    .map((name) => ({ name, apart: editDistance(text, name) / Math.max(text.length, name.length, 1) }))
    .sort((a, b) => a.apart - b.apart)
    .slice(0, count)
    .map(({ name }) => name);
}

/** Levenshtein distance: the number of insertions, deletions and replacements. */
export function editDistance(a: string, b: string): number {
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
