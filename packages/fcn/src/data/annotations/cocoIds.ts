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
 * Finds entries by id. The number 1 and the string "1" are different ids, but if only one of them exists, the other
 * finds it too: conversion tools often write one side as a string.
 */
export function idFinder<T extends { readonly id: CocoId }>(entries: readonly T[]): (id: CocoId) => T | undefined {
  const exact = new Map(entries.map((entry) => [entry.id, entry]));
  const byText = new Map<string, T | undefined>();
  for (const entry of entries) byText.set(String(entry.id), byText.has(String(entry.id)) ? undefined : entry);
  return (id) => exact.get(id) ?? byText.get(String(id));
}
