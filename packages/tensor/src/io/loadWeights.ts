import type { Device } from "../device.js";
import { brief, TensorError } from "../errors.js";
import type { Module } from "../nn/module.js";
import { copyInto, type LoadOptions, type LoadReport, planLoad, type StateArray } from "../nn/stateDict.js";
import type { PathOrBytes } from "./source.js";
import { type OpenWeightsOptions, type Weights, withWeights } from "./weights.js";

export interface LoadWeightsOptions extends LoadOptions, OpenWeightsOptions {
  /** The module's name for a name of the file; undefined leaves the array out. Default: the same name. */
  readonly rename?: (name: string) => string | undefined;
}

const OP = "loadWeights";
/** Bytes that may wait for the GPU before reading goes on: until then the driver holds a copy of them. */
const UNSENT = 2 ** 26;

/**
 * Loads a file of weights into a module, one array at a time, so that the file is never whole in memory. All names and shapes are
 * checked before the first value is written; damaged data is noticed when it is read, and then the module is partly loaded.
 *
 * Throws a TensorError: as {@link openWeights}, and "state-dict-mismatch" as `module.loadStateDict`.
 */
export async function loadWeights(
  module: Module,
  pathOrBytes: PathOrBytes,
  options: LoadWeightsOptions = {},
): Promise<LoadReport> {
  return withWeights(OP, pathOrBytes, options, async (weights) => {
    const own = module.stateDict();
    const { rename = (name: string) => name } = options;
    const names = renamed(weights, (name) => {
      const wanted = rename(name);
      return wanted === undefined ? undefined : module.stateName(wanted);
    });
    const shapes = new Map([...names].map(([name, from]) => [name, weights.arrays[from]!.shape]));
    const target = { own, adapterOf: module.stateAdapter.bind(module) };
    const { report, adapters } = planLoad(OP, target, shapes, options);
    const read = (name: string): Promise<StateArray> => weights.read(names.get(name)!);
    // A conversion may refuse values, so it comes before anything is written. What is converted is small.
    const converted = new Map<string, StateArray>();
    for (const [name, adapt] of adapters) converted.set(name, adapt(await read(name)));
    const loaded = new Set([...report.copied, ...report.reshaped]);
    const sent = new Set<Device>();
    let onTheWay = 0;
    for (const name of names.keys()) {
      if (!loaded.has(name)) continue;
      const values = converted.get(name) ?? (await read(name));
      const tensor = own[name]!;
      copyInto(tensor, values);
      onTheWay += tensor.size * 4;
      if (onTheWay < UNSENT) continue;
      await tensor.device.sync();
      sent.add(tensor.device);
      onTheWay = 0;
    }
    // The buffers that large arrays went through fit nothing else.
    for (const device of sent) device.trim();
    return report;
  });
}

/** Names in the file by the module's name for them. */
function renamed(weights: Weights, rename: (name: string) => string | undefined): Map<string, string> {
  const names = new Map<string, string>();
  for (const from of Object.keys(weights.arrays)) {
    const name = rename(from);
    if (name === undefined) continue;
    const other = names.get(name);
    if (other !== undefined) {
      throw new TensorError({
        code: "invalid-argument",
        message: `${OP}: rename makes ${brief(name)} of both ${brief(other)} and ${brief(from)}`,
        fix: "give each name of the file a name of its own, or undefined to leave it out",
      });
    }
    names.set(name, from);
  }
  return names;
}
