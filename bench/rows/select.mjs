import { ROWS } from "./index.mjs";

/** The group of first predictions and peak memory, which are no rows: each is a process of its own. */
export const FRESH = "fresh";

/**
 * The rows whose title one of the patterns matches (case ignored), of one of `groups`; all of them without either.
 * Throws for none.
 */
export function selectRows(patterns, groups = []) {
  const unknown = groups.find((group) => group !== FRESH && !ROWS.some((row) => row.group === group));
  if (unknown !== undefined) throw new Error(`no group is called ${unknown}; --list prints them`);
  const wanted = patterns.map((pattern) => new RegExp(pattern, "i"));
  const rows = ROWS.filter(
    ({ title, group }) =>
      (groups.length === 0 || groups.includes(group)) &&
      (wanted.length === 0 || wanted.some((pattern) => pattern.test(title))),
  );
  if (rows.length === 0 && !groups.includes(FRESH)) throw new Error("no row matches; --list prints their titles");
  return rows;
}
