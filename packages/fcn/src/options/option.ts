import { invalidArgument, showValue } from "@fcn/tensor/internal";
import type { Reader, Rule } from "./rules.js";

/** An option: all that the command line, checks and the configuration of a run need to know of it. */
interface Row<Value> {
  /** What it may be; an error names the option and what the rule allows. */
  readonly rule?: Rule<Value>;
  readonly fallback?: Value;
  /** How the text of the flag is read. Default: by the rule, else it is the value. */
  readonly reader?: Reader<Value>;
  /**
   * Whether it decides the course of a run: it is then kept in the configuration, and `resume` refuses another one. A
   * name is that of what the configuration keeps in its place, as `classes` for the option that chooses them. Default
   * true.
   */
  readonly decides?: false | string;
}

/**
 * The flag as the help shows it, such as `--year <n>`; without a value it is a switch. A fallback is added to `help`.
 */
export type Option<Value> = Row<Value> & ({ readonly flag?: never } | { readonly flag: string; readonly help: string });

/** One row for each of the options. */
export type OptionTable<Options> = { readonly [Name in keyof Options]-?: Option<NonNullable<Options[Name]>> };

/** Rows by the names of their options. */
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

/** Throws "invalid-argument" for a value that breaks the rule of its option. */
export function checkValue(op: string, name: string, value: unknown, { what, holds }: Rule<unknown>): void {
  if (holds(value)) return;
  throw invalidArgument(`${op}: ${name} is ${showValue(value)}`, `use ${what}`);
}

/** Throws "invalid-argument" for the first given option of a table that breaks its rule. */
export function checkGiven(op: string, table: AnyTable, options: object): void {
  for (const [name, value, { rule }] of givenOf(table, options)) if (rule) checkValue(op, name, value, rule);
}
