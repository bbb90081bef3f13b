import { TensorError } from "@fcn/tensor";
import { showValue } from "@fcn/tensor/internal";
import type { Reader, Rule } from "./rules.js";

/** Everything that the command line, the checks and a run's configuration need to know about an option. */
interface Row<Value> {
  /** The values that are allowed. Errors name the option and quote the rule. */
  readonly rule?: Rule<Value>;
  readonly fallback?: Value;
  /** How the text of the flag is read. Default: by the rule, otherwise it is the value itself. */
  readonly reader?: Reader<Value>;
  /**
   * Whether it decides the course of a run. If so, the configuration keeps it, and `resume` refuses another value. A
   * string names what the configuration keeps instead, such as `classes` for the option that chooses them. Default
   * true.
   */
  readonly decides?: false | string;
}

/**
 * The flag as the help shows it, such as `--year <n>`. Without a value it is a switch. The help also shows a fallback.
 */
export type Option<Value> = Row<Value> & ({ readonly flag?: never } | { readonly flag: string; readonly help: string });

export type OptionTable<Options> = { readonly [Name in keyof Options]-?: Option<NonNullable<Options[Name]>> };

export type AnyTable = Readonly<Record<string, Option<unknown>>>;

/** The options of a table that are given. */
export function givenOf(table: AnyTable, options: object): [name: string, value: unknown, row: Option<unknown>][] {
  return Object.entries(table)
    .map(
      ([name, row]) =>
        [name, (options as Readonly<Record<string, unknown>>)[name], row] as [string, unknown, Option<unknown>],
    )
    .filter(([, value]) => value !== undefined);
}

/** Throws `invalid-argument` for a value that breaks the rule of its option. */
export function checkValue(op: string, name: string, value: unknown, { what, holds }: Rule<unknown>): void {
  if (holds(value)) return;
  throw new TensorError({
    code: "invalid-argument",
    message: `${op}: ${name} is ${showValue(value)}`,
    fix: `use ${what}`,
  });
}

/** Throws `invalid-argument` for the first given option of a table that breaks its rule. */
export function checkGiven(op: string, table: AnyTable, options: object): void {
  for (const [name, value, { rule }] of givenOf(table, options)) if (rule) checkValue(op, name, value, rule);
}
