import type { Command } from "commander";
import { operandsOffered, valuesOffered } from "../flags/choices.js";

/** What a shell offers after a command. */
export interface Offer {
  /** The words of the command, such as `fcn data check`. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly help: string }[];
  readonly options: readonly OptionOffer[];
  /** Operands by name; where there are none, files are offered. */
  readonly operands: readonly string[];
}

export interface OptionOffer {
  /** With its dashes. */
  readonly flag: string;
  readonly help: string;
  readonly takesValue: boolean;
  /** The values that it may have; where there are none, files are offered. */
  readonly values: readonly string[];
}

/** What to offer after a command and after each below it. */
export function offersOf(command: Command, before = ""): Offer[] {
  const path = `${before} ${command.name()}`.trim();
  const own: Offer = {
    path,
    commands: command.commands.map((each) => ({ name: each.name(), help: each.description() })),
    options: [
      ...command.options.map((option) => ({
        flag: option.long ?? option.flags,
        help: option.description,
        takesValue: option.required || option.optional,
        values: valuesOffered(option),
      })),
      { flag: "--help", help: "show this help", takesValue: false, values: [] },
    ],
    operands: operandsOffered(command),
  };
  return [own, ...command.commands.flatMap((each) => offersOf(each, path))];
}
