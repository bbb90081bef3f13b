import type { Device } from "../device.js";
import { matchNames } from "../nn/matchNames.js";
import type { Module } from "../nn/module.js";
import { copyInto, type LoadOptions, type LoadReport, nameTarget, planLoad, type StateArray } from "../nn/stateDict.js";
import { brief, invalidArgument, reworded, TensorError } from "../plain/errors.js";
import { refuseDamaged } from "./content/skipped.js";
import type { PathOrBytes } from "./files/source.js";
import { type OpenedWeights, type OpenWeightsOptions, withWeights } from "./weights.js";

export interface LoadWeightsOptions extends LoadOptions, OpenWeightsOptions {
  /** Converts a name in the file to the name in the module; undefined leaves the array out. Default: see `prefix`. */
  readonly rename?: (name: string) => string | undefined;
  /**
   * What precedes the module's names in the file, such as `student.`; arrays without it are left out. "" keeps names
   * unchanged. By default, without `rename` and unless `unwrap` is false, the prefix is found by comparing names and
   * shapes, so that a net inside another (`model.`, `net.`, `backbone.`) or a wrapper loads without options. The report
   * says what was dropped.
   */
  readonly prefix?: string | undefined;
}

const OP = "loadWeights";
/** Bytes that may be waiting for the GPU before reading pauses, since the driver holds a copy of them until then. */
const UNSENT = 2 ** 26;

/**
 * Loads a weights file into a module. All names, shapes and checksums are checked before the first value is written.
 * Files of up to 64 MiB are also read before that. Larger ones are read one array at a time, so a disk error can leave
 * the module partly loaded; the error says so.
 *
 * Throws the errors of {@link openWeights}; `state-dict-mismatch` as `module.loadStateDict` does, also if an array that
 * the module needs cannot be read; and `ambiguous-prefix` if several prefixes fit.
 *
 * @example
 * ```ts
 * import { createDevice, io, nn } from "@fcn/tensor";
 *
 * const device = await createDevice();
 * const trained = new nn.Conv2d(device, 3, 8, { kernelSize: 3, seed: 1 });
 * const net = new nn.Conv2d(device, 3, 8, { kernelSize: 3 });
 * const file = await io.encodeSafetensors(trained.stateDict());
 * const report = await io.loadWeights(net, file); // or the path of a file
 * console.log(report.copied); // weight, bias
 * device.destroy();
 * ```
 */
export async function loadWeights(
  module: Module,
  pathOrBytes: PathOrBytes,
  options: LoadWeightsOptions = {},
): Promise<LoadReport> {
  return withWeights(OP, pathOrBytes, options, async (weights) => {
    refuseDamaged(weights.skipped);
    const own = module.stateDict();
    const adapterOf = module.stateAdapter.bind(module);
    const target = { own, adapterOf, stateName: module.stateName.bind(module) };
    const { rename, ...changes } = renaming(weights, target, options);
    const { names, beside } = renamed(weights, (name) => {
      const wanted = rename(name);
      return wanted === undefined ? undefined : module.stateName(wanted);
    });
    const shapes = new Map([...names].map(([name, from]) => [name, weights.arrays[from]!.shape]));
    const unread = new Map(
      weights.skipped.flatMap(({ name, reason }) => {
        const wanted = rename(name);
        return wanted === undefined ? [] : [[module.stateName(wanted), reason] as const];
      }),
    );
    const { report, adapters } = planLoad(OP, target, shapes, options, unread);
    const read = (name: string): Promise<StateArray> => weights.read(names.get(name)!);
    const fitting = new Set([...report.copied, ...report.reshaped]);
    const loaded = [...names.keys()].filter((name) => fitting.has(name));
    const bytes = loaded.reduce((total, name) => total + weights.arrays[names.get(name)!]!.byteLength, 0);
    const held = new Map<string, StateArray>();
    await weights.verify(loaded.map((name) => names.get(name)!));
    if (bytes <= UNSENT) for (const name of loaded) held.set(name, await read(name));
    // A conversion may refuse values, so it must run before anything is written. Only small arrays are converted.
    for (const [name, adapt] of adapters) held.set(name, adapt(held.get(name) ?? (await read(name))));
    await write(own, loaded, async (name) => held.get(name) ?? read(name));
    const isBeside = options.rename === undefined;
    return {
      ...report,
      unexpected: isBeside ? [...report.unexpected, ...beside] : report.unexpected,
      ...changes,
      ...(weights.skipped.length > 0 ? { unread: weights.skipped.map(({ name, reason }) => ({ name, reason })) } : {}),
    };
  });
}

type Target = Parameters<typeof nameTarget>[0];
type Renaming = { rename(name: string): string | undefined } & Pick<LoadReport, "dropped" | "added">;

/** How to convert the names in the file, and what the report says about it. */
function renaming(
  weights: OpenedWeights,
  target: Target,
  { rename, prefix, unwrap, reshape }: LoadWeightsOptions,
): Renaming {
  const before = weights.dropped.length > 0 ? { dropped: weights.dropped } : {};
  if (rename !== undefined) return { rename, ...before };
  const chosen = prefix === undefined && unwrap === false ? "" : withoutDropped(prefix, weights.dropped);
  const shapes = new Map(Object.entries(weights.arrays).map(([name, { shape }]) => [name, shape]));
  const { rename: found, dropped, added } = matchNames(OP, nameTarget(target, reshape), shapes, chosen);
  const all = [...weights.dropped, ...dropped];
  return { rename: found, ...(all.length > 0 ? { dropped: all } : {}), ...(added === "" ? {} : { added }) };
}

/** The chosen prefix without the parts that opening the file has already dropped. */
function withoutDropped(prefix: string | undefined, dropped: readonly string[]): string | undefined {
  if (prefix === undefined || prefix === "") return prefix;
  const dotted = prefix.endsWith(".") ? prefix : `${prefix}.`;
  const part = dropped.find((begin) => dotted.startsWith(begin));
  if (part === undefined) return dotted;
  // If nothing is left of the prefix, names are used unchanged.
  return withoutDropped(dotted.slice(part.length) || "", dropped);
}

async function write(
  own: Target["own"],
  names: readonly string[],
  read: (name: string) => Promise<StateArray>,
): Promise<void> {
  const sent = new Set<Device>();
  let onTheWay = 0;
  let written = 0;
  for (const name of names) {
    const tensor = own[name]!;
    const values = await read(name).catch((error: unknown) => {
      throw written > 0 ? partly(error, written) : error;
    });
    copyInto(tensor, values);
    written++;
    onTheWay += tensor.size * 4;
    if (onTheWay < UNSENT) continue;
    await tensor.device.sync();
    sent.add(tensor.device);
    onTheWay = 0;
  }
  // The transfer buffers of large arrays are of no use to anything else.
  for (const device of sent) device.trim();
}

function partly(error: unknown, written: number): unknown {
  if (!(error instanceof TensorError)) return error;
  const fix = { code: `${error.fix}; do not use the module until it has been loaded again`, command: error.commandFix };
  return reworded(error, { message: `${error.message}; ${written} arrays were loaded before`, fix });
}

/** Names in the file by their names in the module, and the names that were left out. */
function renamed(
  weights: OpenedWeights,
  rename: (name: string) => string | undefined,
): { names: Map<string, string>; beside: string[] } {
  const names = new Map<string, string>();
  const beside: string[] = [];
  for (const from of Object.keys(weights.arrays)) {
    const name = rename(from);
    if (name === undefined) {
      beside.push(from);
      continue;
    }
    const other = names.get(name);
    if (other !== undefined) {
      throw invalidArgument(
        `${OP}: rename makes ${brief(name)} of both ${brief(other)} and ${brief(from)}`,
        "return a different name for each name in the file, or undefined to leave it out",
      );
    }
    names.set(name, from);
  }
  return { names, beside };
}
