import { type Command, Option } from "commander";
import { type AnyTable, valuesOf } from "../../options/option.js";
import { readerOf } from "./options.js";

/** Adds the flags of a table of options. `before` is what stands before the default of an option in the help. */
export function addFlags(command: Command, table: AnyTable, before = (_: string): string => ""): Command {
  for (const [name, row] of Object.entries(table)) {
    const { rule, fallback, shortcut, isRequired = false } = row;
    const plain = typeof fallback === "string" || typeof fallback === "number" ? `${fallback}` : undefined;
    const { fallbackText = plain } = row;
    const end = fallbackText === undefined ? "" : ` (default: ${before(name)}${fallbackText})`;
    for (const { flag, help, reader: { what, parse } = rule ?? {} } of [row, ...(shortcut ? [shortcut] : [])]) {
      if (flag === undefined) continue;
      const option = new Option(flag, `${help}${end}`).makeOptionMandatory(isRequired);
      if (what && parse) option.argParser(readerOf(option.long as string, { what, parse }));
      command.addOption(option);
    }
  }
  return command;
}

/** The options of a table that the flags of a command line give. */
export function flagValues(table: AnyTable, given: object): Record<string, unknown> {
  const flags = given as Readonly<Record<string, unknown>>;
  const valueAt = (flag?: string): unknown => flag && flags[new Option(flag).attributeName()];
  return valuesOf(table, ({ flag, shortcut }) => {
    const [value, part] = [valueAt(flag), valueAt(shortcut?.flag)];
    return part === undefined ? value : Object.assign({}, part, value);
  });
}
