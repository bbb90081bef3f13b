/** How COCO files identify images and categories. */
export type CocoId = number | string;

/** Accepts whole numbers, and strings that are not blank. */
export function isId(value: unknown): value is CocoId {
  return typeof value === "string" ? value.trim() !== "" : Number.isInteger(value);
}

/** An id as it is written in a file. */
export const shownId = (id: CocoId): string => (typeof id === "string" ? `"${id}"` : String(id));

/** Orders numbers and strings of digits by value, followed by other strings in alphabetical order. */
export function compareIds(a: CocoId, b: CocoId): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isFinite(x) && Number.isFinite(y)) return x - y;
  if (Number.isFinite(x) !== Number.isFinite(y)) return Number.isFinite(x) ? -1 : 1;
  return String(a) < String(b) ? -1 : Number(a !== b);
}

/**
 * Entries by id. The number 1 and the string "1" are different ids, but if only one of them exists, the other finds it
 * too and `isOther` reports the mismatch: conversion tools often write one side as a string.
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
