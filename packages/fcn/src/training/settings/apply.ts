import { invalidArgument } from "@fcn/tensor/internal";
import { withoutUndefined } from "../withoutUndefined.js";
import type { Row, Table } from "./setting.js";

/** What `of` gives for the settings of a table, without those for which it gives nothing. */
export const valuesOf = (table: Table, of: (row: Row<unknown>, name: string) => unknown): Record<string, unknown> =>
  withoutUndefined(Object.fromEntries(Object.entries(table).map(([name, row]) => [name, of(row, name)])));

/**
 * Throws "invalid-argument" with all settings of a table that break their rules; else what the first check throws. Of
 * options that are `complete` those that nothing gives break theirs too.
 */
export function checkSettings(table: Table, options: object, { complete = false } = {}): void {
  const given = Object.entries(table).map(([name, row]) => {
    return { name, row, value: (options as Readonly<Record<string, unknown>>)[name] };
  });
  const present = given.filter(({ row, value }) => value !== undefined || (complete && row.missing !== undefined));
  const wrong = present.flatMap(({ name, value, row: { rule, missing } }) => {
    if (rule === undefined || rule.holds(value)) return [];
    const shown = `${name} ${typeof value === "string" ? JSON.stringify(value) : value}`;
    return [{ shown, rule, fix: (value === undefined ? missing : undefined) ?? `use ${rule.what}` }];
  });
  const [first] = wrong;
  if (first !== undefined) {
    const list = wrong.map(({ shown }) => shown).join(", ");
    const rules = [...new Set(wrong.map(({ rule }) => rule.what))].join(" and ");
    const problem = first.rule.isChoice ? " is unknown" : `; ${wrong.length > 1 ? "they" : "it"} must be ${rules}`;
    throw invalidArgument(`train: ${list}${problem}`, first.fix);
  }
  for (const { row, value } of present) row.check?.(value);
}
