import { type Command, Option } from "commander";
import { type AnyTable, valuesOf } from "../../options/option.js";
import type { Reader } from "../../options/rules.js";
import { UsageError } from "../output/errors.js";
import { offerValues } from "./choices.js";

/** Adds the flags of a table of options. `before` is what stands before the default of an option in the help. */
export function addFlags(command: Command, table: AnyTable, before = (_: string): string => ""): Command {
  for (const [name, row] of Object.entries(table)) {
    const { rule, fallback, shortcut, isRequired = false } = row;
    const plain = typeof fallback === "string" || typeof fallback === "number" ? `${fallback}` : undefined;
    const { fallbackText = plain } = row;
    for (const { flag, help, alone, reader: { what, parse, remedy, names } = rule ?? {} } of [
      row,
      ...(shortcut ? [shortcut] : []),
    ]) {
      if (flag === undefined) continue;
      const option = new Option(flag, help);
      // A switch that is not given is off, which goes without saying.
      const usual = fallbackText === undefined ? "none" : `${before(name)}${fallbackText}`;
      if (isRequired) option.description += " (required)";
      else if (option.required || fallbackText !== undefined) option.description += ` (default: ${usual})`;
      if (isRequired) requireOption(command, option);
      if (what && parse) option.argParser(readerOf(option.long as string, { what, parse, ...(remedy && { remedy }) }));
      if (alone !== undefined) option.preset(alone);
      if (names) offerValues(option, names);
      command.addOption(option);
    }
  }
  return command;
}

/** The options without which a command does not run. Commander names only the first that is missing. */
const REQUIRED = new WeakMap<Command, Option[]>();

function requireOption(command: Command, option: Option): void {
  const known = REQUIRED.get(command);
  if (known) return void known.push(option);
  const required = [option];
  REQUIRED.set(command, required);
  command.hook("preAction", () => {
    const given = command.opts();
    // A run of a queue that was started before has all of its options.
    if (given.attach !== undefined) return;
    const missing = required.filter((each) => given[each.attributeName()] === undefined).map(({ flags }) => flags);
    if (missing.length === 0) return;
    const last = missing.pop() as string;
    const names = missing.length > 0 ? `${missing.join(", ")} and ${last} are missing` : `${last} is missing`;
    throw new UsageError(names, `add ${[...missing, last].join(" ")}`);
  });
}

/** A parser for an option that a rule reads. `before` is the value from an earlier use of the option. */
const readerOf =
  <Value>(option: string, { what, parse, remedy }: Reader<Value>): ((text: string, before?: Value) => Value) =>
  (text, before) => {
    const value = parse(text, before);
    if (value !== undefined) return value;
    throw new UsageError(`${option} is "${text}"`, remedy?.(text) ?? `use ${what}`);
  };

/** The options of a table that the flags of a command line give. */
export function flagValues(table: AnyTable, given: object): Record<string, unknown> {
  const flags = given as Readonly<Record<string, unknown>>;
  const valueAt = (flag?: string): unknown => flag && flags[new Option(flag).attributeName()];
  return valuesOf(table, ({ flag, shortcut }) => {
    const [value, part] = [valueAt(flag), valueAt(shortcut?.flag)];
    return part === undefined ? value : Object.assign({}, part, value);
  });
}

/** What the flag of a row gives: what is read, else the text or texts after it, else whether it is there. */
type ValueOf<Row> = Row extends { readonly reader: Reader<infer Value> } | { readonly rule: Reader<infer Value> }
  ? Value
  : Row extends { readonly flag: `${string}...>` }
    ? readonly string[]
    : Row extends { readonly flag: `${string}<${string}` }
      ? string
      : boolean;

type Sure = { readonly isRequired: true } | { readonly fallback: unknown };

/** The options that a command line gives by the flags of a table, with their defaults. */
export type Given<Table> = {
  readonly [Name in keyof Table as Table[Name] extends Sure ? Name : never]: ValueOf<Table[Name]>;
} & { readonly [Name in keyof Table as Table[Name] extends Sure ? never : Name]?: ValueOf<Table[Name]> };

/** The options that the flags of a command line give, or their defaults. */
export const givenBy = <Table extends AnyTable>(table: Table, given: object): Given<Table> =>
  ({ ...valuesOf(table, ({ fallback }) => fallback), ...flagValues(table, given) }) as Given<Table>;
