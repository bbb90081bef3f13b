import { TensorError } from "@fcn/tensor";
import type { Setting, Table } from "./setting.js";

/** What `of` gives for the settings of a table, without those for which it gives nothing. */
export function valuesOf(table: Table, of: (row: Setting<unknown>, name: string) => unknown): Record<string, unknown> {
  const values = Object.entries(table).map(([name, row]) => [name, of(row, name)] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

/** Throws "invalid-argument" with all settings of a table that break their rules, or that nothing gives; else what the first check throws. */
export function checkSettings(table: Table, options: object): void {
  const given = Object.entries(table).map(([name, row]) => {
    return { name, row, value: (options as Readonly<Record<string, unknown>>)[name] };
  });
  const present = given.filter(({ row, value }) => value !== undefined || row.missing !== undefined);
  const wrong = present.filter(({ row, value }) => row.rule && !row.rule.holds(value));
  const [first] = wrong;
  if (first !== undefined) {
    const shown = wrong.map(
      ({ name, value }) => `${name} ${typeof value === "string" ? JSON.stringify(value) : value}`,
    );
    const rules = wrong.map(({ name, row }) => `${wrong.length > 1 ? name : "it"} must be ${row.rule?.what}`);
    throw new TensorError({
      code: "invalid-argument",
      message: `train: ${shown.join(", ")}; ${rules.join(", ")}`,
      fix: (first.value === undefined ? first.row.missing : undefined) ?? `correct ${first.name}`,
    });
  }
  for (const { row, value } of present) row.check?.(value);
}
