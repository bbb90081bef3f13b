import { hasCode } from "@fcn/tensor";
import type { Command } from "commander";
import type { InferenceOptions } from "../../prediction/options.js";
import { UsageError } from "../output/errors.js";
import { parseNumbers, parseSize, parseWhole } from "./options.js";

/** The flags of every command that shows images to a net. */
export interface InferenceFlags {
  readonly tile?: [number, number];
  readonly overlap?: number;
  /** MiB */
  readonly memory?: number;
  readonly scales?: number[];
  readonly mirror?: boolean;
}

const SCALES = "numbers above 0 and at most 16, such as 0.75,1,1.25";
const MIB = 2 ** 20;

export function addInferenceFlags(command: Command): Command {
  const isScale = (value: number): boolean => value > 0 && value <= 16;
  return command
    .option("--tile <HxW>", "cut images into tiles, multiples of the net's stride", parseSize("--tile"))
    .option("--overlap <n>", "pixels that tiles share (default: a quarter of a tile)", parseWhole("--overlap", 0))
    .option("--memory <mib>", "cut images that need more on the device (default: 2048)", parseWhole("--memory", 1))
    .option("--scales <list>", "average over sizes, such as 0.75,1,1.25", parseNumbers("--scales", SCALES, isScale))
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
