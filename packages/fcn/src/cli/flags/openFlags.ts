import { type Command, Option } from "commander";
import { OPEN_OPTIONS, type OpenOptions, RANGE } from "../../data/open/options.js";
import type { Option as OptionRow } from "../../options/option.js";
import { readerOf } from "./options.js";

/** The options that come from the flags of every command that opens a folder of labelled images. */
export type OpenFlags = Pick<OpenOptions, "skipBad" | "range">;

function addFlag<Value>(command: Command, row: OptionRow<Value>): Command {
  if (row.flag === undefined) return command;
  const { flag, help, fallback, rule, reader = rule } = row;
  const option = new Option(flag, fallback === undefined ? help : `${help} (default: ${fallback})`);
  return command.addOption(reader ? option.argParser(readerOf(option.long as string, reader)) : option);
}

/** Adds the flag of every command that reads images. */
export const addRangeFlag = (command: Command): Command => addFlag(command, RANGE);

/** Adds the flags of every command that opens a folder of labelled images. */
export const addOpenFlags = (command: Command): Command => Object.values(OPEN_OPTIONS).reduce(addFlag, command);

/** The options that the flags of a command line give. */
export function openOptions(given: object): OpenOptions {
  const flags = given as Readonly<Record<string, unknown>>;
  const options = Object.entries(OPEN_OPTIONS).flatMap(([name, { flag }]) => {
    const value = flag && flags[new Option(flag).attributeName()];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(options);
}
