/** What COCO files identify images and categories by. */
export type CocoId = number | string;

/** Whole numbers and texts that are not blank. */
export function isId(value: unknown): value is CocoId {
  return typeof value === "string" ? value.trim() !== "" : Number.isInteger(value);
}

/** An id as it stands in a file. */
export const shownId = (id: CocoId): string => (typeof id === "string" ? `"${id}"` : String(id));

/** Numbers and texts of digits by their value, before other texts in alphabetical order. */
export function compareIds(a: CocoId, b: CocoId): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isFinite(x) && Number.isFinite(y)) return x - y;
  if (Number.isFinite(x) !== Number.isFinite(y)) return Number.isFinite(x) ? -1 : 1;
  return String(a) < String(b) ? -1 : Number(a !== b);
}

/**
 * Entries by id. The number 1 and the text "1" are two ids; where only one of them is there, it is found by the other
 * too, and `isOther` says so: tools that convert files often write one side as text.
 */
export class IdTable<T> {
  readonly #exact = new Map<CocoId, T>();
  readonly #byText = new Map<string, T | undefined>();

  constructor(entries: readonly T[], idOf: (entry: T) => CocoId) {
    for (const entry of entries) {
      const id = idOf(entry);
      this.#exact.set(id, entry);
      const text = String(id);
      this.#byText.set(text, this.#byText.has(text) ? undefined : entry);
    }
  }

  find(id: CocoId): { readonly entry: T; readonly isOther: boolean } | undefined {
    const exact = this.#exact.get(id);
    if (exact !== undefined) return { entry: exact, isOther: false };
    const entry = this.#byText.get(String(id));
    return entry === undefined ? undefined : { entry, isOther: true };
  }
}
