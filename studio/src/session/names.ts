/** The name of a file without its extension. */
export const baseName = (name: string): string => name.replace(/(?<=.)\.[^.]*$/, "");

/**
 * A name that every file system accepts and none of `taken` shares, extension and case apart, because the masks of two
 * such images would be one file: "cat.jpg", then "cat-2.png".
 */
export function freeName(name: string, taken: readonly string[]): string {
  const plain = name.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[.-]+/, "") || "image";
  const base = baseName(plain);
  const used = new Set(taken.map((other) => baseName(other).toLowerCase()));
  if (!used.has(base.toLowerCase())) return plain;
  for (let n = 2; ; n++) {
    if (!used.has(`${base}-${n}`.toLowerCase())) return `${base}-${n}${plain.slice(base.length)}`;
  }
}
