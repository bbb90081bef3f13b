import { io, nn, type optim, type Tensor } from "@fcn/tensor";
import type { SegmentationNet } from "../../../models/segmentationNet.js";
import { namedModules } from "../../optimizer/parameterGroups.js";

/** Rises with every change that another version cannot read. */
export const FORMAT = "2";

const MODEL = "model.";
const OPTIMIZER = "optimizer.";
const SCALER = "scaler.";
const AVERAGE = "average.";

/** What else is saved by name beside the net. */
interface Stateful {
  stateDict(): Record<string, Tensor | io.HostArray>;
}

/** What learns beside the net. */
export interface States {
  readonly optimizer: Stateful;
  readonly scaler?: Stateful | undefined;
  readonly average?: Stateful | undefined;
}

/** What a file holds of {@link States}. */
export interface ReadStates {
  readonly optimizer: optim.SavedState;
  /** Empty for a training in float32. */
  readonly scaler: optim.SavedState;
  /** Empty for a training without an average of its weights. */
  readonly average: optim.SavedState;
}

/** What a checkpoint holds of net and optimiser: arrays by name, and the calls of each dropout layer by its name. */
export function stateArrays(
  model: SegmentationNet,
  { optimizer, scaler, average }: States,
): { readonly arrays: Record<string, Tensor | io.HostArray>; readonly dropout: Readonly<Record<string, number>> } {
  const arrays = {
    ...prefixed(MODEL, model.stateDict()),
    ...prefixed(OPTIMIZER, optimizer.stateDict()),
    ...prefixed(SCALER, scaler?.stateDict() ?? {}),
    ...prefixed(AVERAGE, average?.stateDict() ?? {}),
  };
  return { arrays, dropout: Object.fromEntries(dropoutLayers(model).map(([name, { calls }]) => [name, calls])) };
}

/** Reads what an opened checkpoint holds beside the net. */
export async function readStates({ arrays, read }: io.Weights): Promise<ReadStates> {
  const readAll = async (prefix: string): Promise<Record<string, io.HostArray>> => {
    const names = Object.keys(arrays).filter((name) => name.startsWith(prefix));
    const entries: [string, io.HostArray][] = [];
    for (const name of names) entries.push([name.slice(prefix.length), await read(name)]);
    return Object.fromEntries(entries);
  };
  return { optimizer: await readAll(OPTIMIZER), scaler: await readAll(SCALER), average: await readAll(AVERAGE) };
}

/** Puts the net back to where it was when a checkpoint was written. */
export async function restoreModel(
  model: SegmentationNet,
  file: io.PathOrBytes,
  dropout: Readonly<Record<string, number>>,
): Promise<void> {
  const rename = (name: string): string | undefined => (name.startsWith(MODEL) ? name.slice(MODEL.length) : undefined);
  await io.loadWeights(model, file, { rename });
  for (const [name, layer] of dropoutLayers(model)) layer.calls = dropout[name] ?? 0;
}

const prefixed = <T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]));

type Dropout = nn.Dropout | nn.Dropout2d;

const dropoutLayers = (model: nn.Module): [name: string, layer: Dropout][] =>
  namedModules(model).filter((entry): entry is [string, Dropout] => {
    return entry[1] instanceof nn.Dropout || entry[1] instanceof nn.Dropout2d;
  });
