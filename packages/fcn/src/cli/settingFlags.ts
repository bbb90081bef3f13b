import { type Command, Option } from "commander";
import type { TrainRunOptions } from "../training/runOptions.js";
import { RUN } from "../training/settings/run.js";
import type { Table } from "../training/settings/setting.js";
import { TRAINING } from "../training/settings/training.js";
import { readerOf } from "./options.js";

/** Every row, in the order of the help. */
const SETTINGS: Table = { ...RUN, ...TRAINING };

/** Adds the flags of all settings of training. */
export function addSettingFlags(command: Command): Command {
  for (const { flags = [], rule } of Object.values(SETTINGS)) {
    for (const { name, help, reader = rule, isRequired = false } of flags) {
      const option = new Option(name, help).makeOptionMandatory(isRequired);
      if (reader) option.argParser(readerOf(option.long as string, reader));
      command.addOption(option);
    }
  }
  return command;
}

/** The options that the flags of a command line give. */
export function settingOptions(
  given: Readonly<Record<string, unknown>>,
): Partial<TrainRunOptions> & Pick<TrainRunOptions, "data" | "out"> {
  const options = Object.entries(SETTINGS).flatMap(([setting, { flags = [] }]) => {
    const values = flags
      .map(({ name }) => given[new Option(name).attributeName()])
      .filter((value) => value !== undefined);
    if (values.length === 0) return [];
    return [[setting, flags.length > 1 ? Object.assign({}, ...values) : values[0]] as const];
  });
  return Object.fromEntries(options) as ReturnType<typeof settingOptions>;
}
