import type { Command, Option } from "commander";

// Commander's own choices would stand in the help, and a list of models is too long for it.
const OF_OPTION = new WeakMap<Option, readonly string[]>();
const OF_OPERAND = new WeakMap<Command, readonly string[]>();

/** Notes the values that a shell offers for an option. */
export const offerValues = (option: Option, values: readonly string[]): void => void OF_OPTION.set(option, values);

/** Notes the values that a shell offers for the operands of a command. */
export const offerOperands = (command: Command, values: readonly string[]): void =>
  void OF_OPERAND.set(command, values);

export const valuesOffered = (option: Option): readonly string[] => OF_OPTION.get(option) ?? [];
export const operandsOffered = (command: Command): readonly string[] => OF_OPERAND.get(command) ?? [];
