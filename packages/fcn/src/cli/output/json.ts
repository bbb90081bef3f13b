/**
 * The text of `JSON.stringify(value, null, 2)` in pieces, an element of a list at a time where a property of the value
 * is one: a whole text may be longer than a string can be.
 */
export function* jsonPieces(value: unknown): Generator<string> {
  if (typeof value !== "object" || value === null || Array.isArray(value) || "toJSON" in value) {
    yield textOf(value, "") ?? "";
    return;
  }
  let before = "{\n  ";
  for (const [name, part] of Object.entries(value)) {
    const text = Array.isArray(part) && part.length > 0 ? "[" : textOf(part, "  ");
    if (text === undefined) continue;
    yield `${before}${JSON.stringify(name)}: ${text}`;
    before = ",\n  ";
    if (text === "[") yield* elementPieces(part);
  }
  yield before.startsWith("{") ? "{}" : "\n}";
}

function* elementPieces(list: readonly unknown[]): Generator<string> {
  for (const [i, element] of list.entries()) {
    yield `${i === 0 ? "" : ","}\n    ${textOf(element, "    ") ?? "null"}`;
  }
  yield "\n  ]";
}

/** A value in lines that begin with a margin; undefined for what JSON leaves out. */
const textOf = (value: unknown, margin: string): string | undefined =>
  JSON.stringify(value, null, 2)?.replaceAll("\n", `\n${margin}`);
