import { TensorError } from "@fcn/tensor";
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
  const wrong = present.filter(({ row, value }) => row.rule && !row.rule.holds(value));
  const [first] = wrong;
  if (first !== undefined) {
    const {
      name: setting,
      value: given,
      row: { rule, missing },
    } = first;
    const shown = wrong.map(
      ({ name, value }) => `${name} ${typeof value === "string" ? JSON.stringify(value) : value}`,
    );
    const rules = wrong.map(({ name, row }) => `${wrong.length > 1 ? name : "it"} must be ${row.rule?.what}`);
    const problem = rule?.isChoice ? `${shown[0]} is unknown` : `${shown.join(", ")}; ${rules.join(", ")}`;
    const fix = rule?.isChoice ? `use ${rule.what}` : `correct ${setting}`;
    throw new TensorError({
      code: "invalid-argument",
      message: `train: ${problem}`,
      fix: (given === undefined ? missing : undefined) ?? fix,
    });
  }
  for (const { row, value } of present) row.check?.(value);
}
