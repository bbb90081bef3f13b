import { type Command, Option } from "commander";
import { optimizerNames } from "../../training/optimizer/optimizers.js";
import { recipeGives } from "../../training/settings/recipes.js";
import { RUN } from "../../training/settings/run.js";
import type { TrainRunOptions } from "../../training/settings/runOptions.js";
import type { Row, Table } from "../../training/settings/setting.js";
import { TRAINING } from "../../training/settings/training.js";
import { withoutUndefined } from "../../training/withoutUndefined.js";
import { readerOf } from "./options.js";

/** Every row, in the order of the help. */
const SETTINGS: Table = { ...RUN, ...TRAINING };

/** Adds the flags of all training settings. */
export function addSettingFlags(command: Command): Command {
  for (const [setting, row] of Object.entries(SETTINGS)) {
    for (const { flag, help = "", reader = row.rule } of [row, row.shortcut ?? {}]) {
      if (flag === undefined) continue;
      const option = new Option(flag, help + defaultText(setting, row)).makeOptionMandatory(row.isRequired ?? false);
      if (reader) option.argParser(readerOf(option.long as string, reader));
      command.addOption(option);
    }
  }
  return command;
}

/** The end of a flag's help, which gives its default. */
function defaultText(setting: string, { fallback, runFallback = fallback, fallbackText }: Row<unknown>): string {
  const values = optimizerNames().map((optimizer) => ({ optimizer, value: runFallback?.(optimizer) }));
  const isPlain = values.every(({ value }) => typeof value === "string" || typeof value === "number");
  const isOne = new Set(values.map(({ value }) => value)).size === 1;
  const each = isOne
    ? values.slice(0, 1).map(({ value }) => value)
    : values.map((of) => `${of.value} for ${of.optimizer}`);
  const text = fallbackText ?? (isPlain ? each.join(", ") : undefined);
  return text === undefined ? "" : ` (default: ${recipeGives(setting) ? "the recipe's, else " : ""}${text})`;
}

/** The options that the flags of a command line give. */
export function settingOptions(
  given: Readonly<Record<string, unknown>>,
): Partial<TrainRunOptions> & Pick<TrainRunOptions, "data" | "out"> {
  const valueAt = (flag?: string): unknown => flag && given[new Option(flag).attributeName()];
  const options = Object.entries(SETTINGS).map(([setting, { flag, shortcut }]) => {
    const [value, part] = [valueAt(flag), valueAt(shortcut?.flag)];
    return [setting, part === undefined ? value : Object.assign({}, part, value)] as const;
  });
  return withoutUndefined(Object.fromEntries(options)) as ReturnType<typeof settingOptions>;
}
