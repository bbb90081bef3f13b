import type { Command } from "commander";
import { chooseFrom } from "../../options/closest.js";
import { SCRIPTS } from "../completion/scripts.js";
import { offersOf } from "../completion/tree.js";
import { offerOperands } from "../flags/choices.js";
import { UsageError } from "../output/errors.js";
import { print } from "../output/output.js";

const SHELLS = Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[];

/** Adds the operand and the action of `fcn completion`, which describes all commands that were set up. */
export function setUp(command: Command): void {
  offerOperands(command, SHELLS);
  command.argument("<shell>", SHELLS.join(", ")).action(async (name: string) => {
    const shell = SHELLS.find((each) => each === name);
    if (shell === undefined) throw new UsageError(`the shell is "${name}"`, chooseFrom(name, SHELLS, "fcn completion"));
    await print(SCRIPTS[shell](offersOf(command.parent ?? command)));
  });
}
