import { hasCode } from "@fcn/tensor";
import type { Command } from "commander";
import { size, whole } from "../../options/rules.js";
import { type InferenceOptions, scalesRule } from "../../prediction/options.js";
import { UsageError } from "../output/errors.js";
import { readerOf } from "./options.js";

/** The flags of every command that shows images to a net. */
export interface InferenceFlags {
  readonly tile?: [number, number];
  readonly overlap?: number;
  /** MiB */
  readonly memory?: number;
  readonly scales?: number[];
  readonly mirror?: boolean;
}

const MIB = 2 ** 20;

export function addInferenceFlags(command: Command): Command {
  return command
    .option("--tile <HxW>", "cut images into tiles, multiples of the net's stride", readerOf("--tile", size))
    .option("--overlap <n>", "pixels that tiles share (default: a quarter of a tile)", readerOf("--overlap", whole(0)))
    .option("--memory <mib>", "cut images that need more on the device (default: 2048)", readerOf("--memory", whole(1)))
    .option("--scales <list>", "average over sizes, such as 0.75,1,1.25", readerOf("--scales", scalesRule))
    .option("--mirror", "average with the mirrored image too");
}

export function inferenceOptions({ tile, overlap, memory, scales, mirror }: InferenceFlags): InferenceOptions {
  return { tile, overlap, memory: memory === undefined ? undefined : memory * MIB, scales, mirror };
}

/** Makes impossible tiles wrong usage. Only the loaded net tells which tiles those are. */
export function asWrongUse(error: unknown, { tile, overlap }: InferenceFlags): unknown {
  const isTiled = tile !== undefined || overlap !== undefined;
  const isTile = isTiled && hasCode(error, "invalid-argument");
  return isTile ? new UsageError(error.message, error.fix) : error;
}
