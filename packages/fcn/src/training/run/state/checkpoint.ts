import { io, nn, type optim, type Tensor, TensorError } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";
import { makeFolder } from "../../../files/write.js";
import type { SegmentationNet } from "../../../models/segmentationNet.js";
import { withoutUndefined } from "../../../options/option.js";
import { namedModules } from "../../optimizer/parameterGroups.js";
import { bothWays } from "../../remedies.js";
import { type Configuration, checkConfiguration } from "../configuration.js";
import { readConfiguration, readState, type SavedState } from "./readState.js";
import { RUN_FILES } from "./result.js";

const { open, readdir, rm } = nodeModule("trainRun", "node:fs/promises");
const { dirname, join } = nodeModule("trainRun", "node:path");

/** Everything a run needs, in addition to the values of net and optimiser, to continue as if it had never stopped. */
export interface CheckpointState extends Omit<SavedState, "dropout"> {
  readonly step: number;
}

/** A checkpoint read from a file. */
export interface Checkpoint extends CheckpointState {
  /** Length of the run that wrote it. */
  readonly plannedSteps: number;
  readonly optimizer: optim.SavedState;
  /** Empty for a run in float32. */
  readonly scaler: optim.SavedState;
  /** Empty for a run without an average of its weights. */
  readonly average: optim.SavedState;
}

/** What else is saved by name beside the net. */
interface Stateful {
  stateDict(): Record<string, Tensor | io.HostArray>;
}

/** What learns beside the net. */
export interface States {
  readonly optimizer: Stateful;
  readonly scaler: Stateful;
  readonly average?: Stateful | undefined;
}

/** Rises with every change that another version cannot read. */
const FORMAT = "2";

const NAME = /^step-(\d{9})\.safetensors$/;
const nameOf = (step: number): string => `step-${String(step).padStart(9, "0")}.safetensors`;
const MODEL = "model.";
const OPTIMIZER = "optimizer.";
const SCALER = "scaler.";
const AVERAGE = "average.";

/**
 * Writes everything into one file, such as `step-000000020.safetensors`. The file gets a temporary name, is flushed to
 * disk (fsync) and only then renamed. Older checkpoints are removed after that.
 */
export async function writeCheckpoint(
  folder: string,
  model: SegmentationNet,
  { optimizer, scaler, average }: States,
  { step, configuration, adapters, data, loader, history, open }: CheckpointState,
): Promise<void> {
  await makeFolder("train", folder);
  const arrays = {
    ...prefixed(MODEL, model.stateDict()),
    ...prefixed(OPTIMIZER, optimizer.stateDict()),
    ...prefixed(SCALER, scaler.stateDict()),
    ...prefixed(AVERAGE, average?.stateDict() ?? {}),
  };
  const dropout = Object.fromEntries(dropoutLayers(model).map(([name, { calls }]) => [name, calls]));
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
  const { state, ...states } = await io.openWeights(file, async ({ metadata, arrays, read }) => {
    checkFormat(file, metadata.format);
    const state = readState(file, metadata);
    checkConfiguration(file, state.configuration, { wanted: configuration, step });
    const readAll = async (prefix: string): Promise<Record<string, io.HostArray>> => {
      const names = Object.keys(arrays).filter((name) => name.startsWith(prefix));
      const entries: [string, io.HostArray][] = [];
      for (const name of names) entries.push([name.slice(prefix.length), await read(name)]);
      return Object.fromEntries(entries);
    };
    const [optimizer, scaler] = [await readAll(OPTIMIZER), await readAll(SCALER)];
    return { state, optimizer, scaler, average: await readAll(AVERAGE) };
  });
  const rename = (name: string): string | undefined => (name.startsWith(MODEL) ? name.slice(MODEL.length) : undefined);
  await io.loadWeights(model, file, { rename });
  const { dropout, ...rest } = state;
  for (const [name, layer] of dropoutLayers(model)) layer.calls = dropout[name] ?? 0;
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
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

const prefixed = <T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]));

/** A rename reaches the disk only with its folder. Windows cannot open folders and does not need this. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

type Dropout = nn.Dropout | nn.Dropout2d;

const dropoutLayers = (model: nn.Module): [name: string, layer: Dropout][] =>
  namedModules(model).filter((entry): entry is [string, Dropout] => {
    return entry[1] instanceof nn.Dropout || entry[1] instanceof nn.Dropout2d;
  });
