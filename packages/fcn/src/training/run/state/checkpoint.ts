import { io, TensorError } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";
import { makeFolder } from "../../../files/write.js";
import type { SegmentationNet } from "../../../models/segmentationNet.js";
import { withoutUndefined } from "../../../options/option.js";
import { bothWays } from "../../remedies.js";
import { type Configuration, checkConfiguration } from "../configuration.js";
import { FORMAT, type ReadStates, readStates, restoreModel, type States, stateArrays } from "./checkpointArrays.js";
import { readConfiguration, readState, type SavedState } from "./readState.js";
import { RUN_FILES } from "./result.js";

const { open, readdir, rm } = nodeModule("trainRun", "node:fs/promises");
const { dirname, join } = nodeModule("trainRun", "node:path");

/** Everything a run needs, in addition to the values of net and optimiser, to continue as if it had never stopped. */
export interface CheckpointState extends Omit<SavedState, "dropout"> {
  readonly step: number;
}

/** A checkpoint read from a file. */
export interface Checkpoint extends CheckpointState, ReadStates {
  /** Length of the run that wrote it. */
  readonly plannedSteps: number;
}

const NAME = /^step-(\d{9})\.safetensors$/;
const nameOf = (step: number): string => `step-${String(step).padStart(9, "0")}.safetensors`;

/**
 * Writes everything into one file, such as `step-000000020.safetensors`. The file gets a temporary name, is flushed to
 * disk (fsync) and only then renamed. Older checkpoints are removed after that.
 */
export async function writeCheckpoint(
  folder: string,
  model: SegmentationNet,
  states: States,
  { step, configuration, adapters, data, loader, history, open }: CheckpointState,
): Promise<void> {
  await makeFolder("train", folder);
  const { arrays, dropout } = stateArrays(model, states);
  const fields = withoutUndefined({ configuration, adapters, loader, dropout, history, data, open });
  const texts = Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value)]);
  const metadata = { format: FORMAT, step: String(step), ...Object.fromEntries(texts) };
  await io.writeSafetensors(join(folder, nameOf(step)), arrays, { metadata });
  await syncFolder(folder);
  for (const other of await checkpoints(folder)) if (other !== step) await rm(join(folder, nameOf(other)));
}

/**
 * The configuration of the last checkpoint, or undefined if the folder has none. Throws if its format is another one.
 */
export async function savedConfiguration(folder: string): Promise<Configuration | undefined> {
  const file = await checkpointFile(folder);
  if (file === undefined) return undefined;
  const metadata = await io.readSafetensorsMetadata(file);
  checkFormat(file, metadata.format);
  return readConfiguration(file, metadata);
}

/** The file of the last checkpoint, or undefined if the folder has none. */
export async function checkpointFile(folder: string): Promise<string | undefined> {
  const step = (await checkpoints(folder)).at(-1);
  return step === undefined ? undefined : join(folder, nameOf(step));
}

/**
 * Loads the last checkpoint into the net. Returns undefined if the folder has none. Throws if its format or
 * configuration differs.
 */
export async function readCheckpoint(
  folder: string,
  model: SegmentationNet,
  configuration: Configuration,
): Promise<Checkpoint | undefined> {
  const step = (await checkpoints(folder)).at(-1);
  if (step === undefined) return undefined;
  const file = join(folder, nameOf(step));
  const { state, ...states } = await io.openWeights(file, async (weights) => {
    checkFormat(file, weights.metadata.format);
    const state = readState(file, weights.metadata);
    checkConfiguration(file, state.configuration, { wanted: configuration, step });
    return { state, ...(await readStates(weights)) };
  });
  const { dropout, ...rest } = state;
  await restoreModel(model, file, dropout);
  const plannedSteps = state.configuration.steps as number;
  return { ...rest, step, configuration, plannedSteps, ...states };
}

function checkFormat(file: string, format: string | undefined): void {
  if (format === FORMAT) return;
  const weights = join(dirname(dirname(file)), RUN_FILES.last);
  throw new TensorError({
    code: "checkpoint-mismatch",
    message: `train: the checkpoint ${file} has ${format === undefined ? "no format" : `the format ${format}`}, but this version reads ${FORMAT}`,
    fix: bothWays((say) => {
      const start = say(`weights: "${weights}"`, `--weights ${weights}`);
      return `go on with the version that wrote it, or start a run in another folder from its weights: ${start}`;
    }),
  });
}

/** Steps of the checkpoints in a folder, ascending. Files that a killed process left unfinished have other names. */
export async function checkpoints(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  return names.flatMap((name) => checkpointStep(name) ?? []).sort((a, b) => a - b);
}

/** The step of a checkpoint by the name of its file; undefined for any other file. */
export function checkpointStep(name: string): number | undefined {
  const step = NAME.exec(name)?.[1];
  return step === undefined ? undefined : Number(step);
}

/** A rename reaches the disk only with its folder. Windows cannot open folders and does not need this. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
