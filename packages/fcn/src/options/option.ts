import type { Rule } from "@fcn/tensor";
import { checkValues } from "@fcn/tensor/internal";
import type { FlagRule, Reader } from "./rules.js";

/** A flag of the command line. */
export interface Flag<Value> {
  /** The text that the flag alone stands for, if its value may be left out: `--pretrained [which]`. */
  readonly alone?: string;
  /** As the help shows it, such as `--year <n>`; without a value it is a switch. */
  readonly flag: string;
  /** What the flag is for. The help also shows the fallback. */
  readonly help: string;
  /** How the text of the flag is read. Default: by the rule, otherwise it is the value itself. */
  readonly reader?: Reader<Value>;
}

/** Everything that the command line, the checks and a run's configuration need to know about an option. */
interface Row<Value> extends Partial<Flag<Value>> {
  /** The values that are allowed. Errors name the option and quote the rule. */
  readonly rule?: Rule<Value> & Partial<Reader<Value>>;
  readonly fallback?: Value;
  /** The fallback as the help shows it, unless it is a plain value. */
  readonly fallbackText?: string;
  /** Whether the command refuses to run without the flag. */
  readonly isRequired?: boolean;
  /** A second flag for a part of the value. What both give is joined. */
  readonly shortcut?: Flag<Value>;
  /**
   * Whether it decides the course of a run: it is then kept in the configuration, shown in the report, and `resume`
   * refuses another one. A name is that of what the configuration keeps in its place, as `steps` for epochs. Default
   * true.
   */
  readonly decides?: false | string;
}

/** How the text of a flag is read: by its reader, else by the rule, else it is the value, or it is a switch. */
type Reading<Value> =
  | (string extends Value ? unknown : true extends Value ? unknown : never)
  | { readonly reader: Reader<Value> }
  | { readonly rule: FlagRule<Value> };

/** A row whose flag, where it has one, can be read. */
export type Option<Value> = Row<Value> &
  ({ readonly flag?: never } | ({ readonly flag: string; readonly help: string } & Reading<Value>));

export type OptionTable<Options> = { readonly [Name in keyof Options]-?: Option<NonNullable<Options[Name]>> };

export type AnyTable = Readonly<Record<string, Option<unknown>>>;

/** The options of a table that the configuration holds under their own names. */
export type Deciding<Table> = {
  [Name in keyof Table]: Table[Name] extends { readonly decides: unknown } ? never : Name;
}[keyof Table];

/** A copy without undefined values, which count as not given. */
export const withoutUndefined = <T extends object>(values: T): T =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;

/** What `of` gives for the rows of a table, without those for which it gives nothing. */
export const valuesOf = <Row>(
  table: Readonly<Record<string, Row>>,
  of: (row: Row, name: string) => unknown,
): Record<string, unknown> =>
  withoutUndefined(Object.fromEntries(Object.entries(table).map(([name, row]) => [name, of(row, name)])));

/**
 * Throws `invalid-argument` with all options of a table that break their rules; of options that are `complete`, with
 * those that are missing as well.
 */
export function checkGiven(op: string, table: AnyTable, options: object, { complete = false } = {}): void {
  const values = Object.entries(table).flatMap(([name, { rule }]) => {
    const value = (options as Readonly<Record<string, unknown>>)[name];
    return rule && (value !== undefined || (complete && rule.isRequired)) ? [[name, value, rule] as const] : [];
  });
  checkValues(op, values);
}
