import type { Command } from "commander";
import { OPEN_OPTIONS, type OpenOptions } from "../../data/open/openOptions.js";
import { addFlags, flagValues } from "./addFlags.js";

/** Adds the flags of every command that opens a folder of labelled images. */
export const addOpenFlags = (command: Command): Command => addFlags(command, OPEN_OPTIONS);

/** The options that the flags of a command line give. */
export const openOptions = (given: object): OpenOptions => flagValues(OPEN_OPTIONS, given);
