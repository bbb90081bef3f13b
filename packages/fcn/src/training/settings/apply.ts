import { TensorError } from "@fcn/tensor";
import { withoutUndefined } from "../withoutUndefined.js";
import type { Row, Table } from "./setting.js";

/** The result of `of` for each setting of a table, without undefined ones. */
export const valuesOf = (table: Table, of: (row: Row<unknown>, name: string) => unknown): Record<string, unknown> =>
  withoutUndefined(Object.fromEntries(Object.entries(table).map(([name, row]) => [name, of(row, name)])));

/**
 * Throws `invalid-argument` with all settings of a table that break their rules, or otherwise the error of the first
 * check that fails. With `complete`, a required setting that is missing breaks its rule too.
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
    throw new TensorError({ code: "invalid-argument", message: `train: ${list}${problem}`, fix: first.fix });
  }
  for (const { row, value } of present) row.check?.(value);
}
