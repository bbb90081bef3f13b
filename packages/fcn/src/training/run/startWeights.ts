import { io, TensorError } from "@fcn/tensor";
import { firstOf } from "../../data/words.js";
import type { GraphNet, NetOutput } from "../../models/graph/net.js";
import { scoreLayers } from "../../models/graph/scoreLayers.js";
import type { ClassMap } from "../../surgery/heads.js";
import type { HeadLabels } from "../heads.js";
import { readClasses, refuseNonFinite } from "../weightsFile.js";
import { classLayers, matchClasses, mergeRows } from "./classMatch.js";

/** What became of the arrays of a file of weights. */
export interface StartReport {
  /** Arrays that were taken. */
  readonly loaded: number;
  /** Names of the score layers and their upsampling that were left out, since the file is for other classes: these start anew. */
  readonly swapped: readonly string[];
  /** Names of the net that the file lacks: these start anew too. */
  readonly missing: readonly string[];
  /** Classes of the data whose rows of the score layers were found in the file by name, at other places; undefined where rows stay in place. */
  readonly matched?: readonly string[];
}

interface StartOptions {
  /** Classes of the data, which those of the file are matched with by name. Default: rows stay in place. */
  readonly classes?: readonly string[];
  /** Heads that learn from labels with classes of their own. */
  readonly headLabels?: HeadLabels;
}

/**
 * Starts a net from a file of weights in any format that `io` opens. Where the file is for other classes the head keeps its initial values, as
 * with a file of a trunk alone; where it names them, classes of the same name keep their rows. Throws where another layer does not fit, or nothing
 * does.
 */
export async function loadStartWeights<Output extends NetOutput>(
  net: GraphNet<Output>,
  file: string,
  options: StartOptions = {},
): Promise<StartReport> {
  const own = net.stateDict();
  const byName = await matchedRows(net, file, options);
  const matched = Object.keys(byName?.arrays ?? {});
  const isTaken = (name: string): boolean => matched.includes(net.stateName(name));
  const misfits = await io.openWeights(file, ({ arrays }) =>
    Object.entries(arrays).flatMap(([name, { shape }]) => {
      if (isTaken(name)) return [];
      const wanted = Object.hasOwn(own, name) ? own[name]?.shape : undefined;
      const fits = wanted === undefined || same(wanted, shape) || net.stateAdapter(name, shape) !== undefined;
      return fits ? [] : [{ name, shape, wanted: wanted as readonly number[] }];
    }),
  );
  const counts = new Set(scoreLayers(net.graph).map((layer) => own[`${layer}.weight`]?.shape[0]));
  const stray = misfits.find(({ wanted }) => !counts.has(wanted[0]));
  if (stray !== undefined) {
    const { name, shape, wanted } = stray;
    throw misfit(
      file,
      net.graph.name,
      `${name} is [${shape.join(", ")}] in the file and [${wanted.join(", ")}] in the net`,
    );
  }
  const swapped = misfits.map(({ name }) => name);
  const left = new Set([...swapped, ...(byName?.names ?? [])]);
  const rename = (name: string): string | undefined => (left.has(name) ? undefined : name);
  const report = await io.loadWeights(net, file, { strict: false, rename });
  const loaded = report.copied.length + report.reshaped.length;
  if (loaded === 0) throw misfit(file, net.graph.name, "no name in the file is one of the net");
  if (byName?.classes.some((row) => row !== undefined)) net.loadStateDict(byName.arrays, { strict: false });
  await refuseNonFinite("train", net, file);
  const missing = report.missing.filter((name) => !swapped.includes(name) && !matched.includes(name));
  if (byName === undefined) return { loaded, swapped, missing };
  const found = (options.classes ?? []).filter((_, label) => byName.classes[label] !== undefined);
  if (found.length === 0) return { loaded, swapped: [...swapped, ...matched], missing };
  return { loaded: loaded + matched.length, swapped, missing, matched: found };
}

/** The report as lines for people. */
export function describeStart(
  file: string,
  classes: readonly string[],
  { loaded, swapped, missing, matched }: StartReport,
): string[] {
  const lines = [`${file}: ${loaded} arrays loaded`];
  if (matched) {
    const fresh = classes.filter((name) => !matched.includes(name));
    const rest = fresh.length > 0 ? `; these start anew: ${some(fresh)}` : "";
    lines.push(
      `its score layers are for other classes or another order, so they were matched by name: ${some(matched)}${rest}`,
    );
  }
  if (swapped.length > 0) lines.push(`for other classes, so these start anew: ${swapped.join(", ")}`);
  if (missing.length > 0) lines.push(`not in the file, so these start anew: ${some(missing)}`);
  return lines;
}

const some = (names: readonly string[]): string => firstOf(names, 8);

interface MatchedRows {
  readonly classes: ClassMap;
  /** Of the net, by its names. */
  readonly arrays: Readonly<Record<string, io.HostArray>>;
  /** The names in the file of these arrays. */
  readonly names: readonly string[];
}

/** The arrays with a row for each class, in the order of the data's classes; undefined where the rows of the file may stay as they are. */
async function matchedRows<Output extends NetOutput>(
  net: GraphNet<Output>,
  file: string,
  { classes: wanted = [], headLabels = {} }: StartOptions,
): Promise<MatchedRows | undefined> {
  const own = net.stateDict();
  const { scores, upsampling } = classLayers(net.graph, headLabels);
  return io.openWeights(file, async ({ format, metadata, arrays, read }) => {
    const theirs = format === "safetensors" ? readClasses(metadata) : undefined;
    const classes = theirs && matchClasses(wanted, theirs);
    if (theirs === undefined || classes === undefined) return undefined;
    const found: [from: string, to: string, array: io.HostArray][] = [];
    for (const from of Object.keys(arrays)) {
      const to = net.stateName(from);
      const layer = to.slice(0, to.lastIndexOf("."));
      const tensor = Object.hasOwn(own, to) ? own[to] : undefined;
      const isUpsampling = upsampling.has(layer);
      if (tensor === undefined || (!isUpsampling && !scores.includes(layer))) continue;
      const initial = { dtype: "float32", shape: tensor.shape, data: (await tensor.data()) as Float32Array } as const;
      const merged = mergeRows(to, await read(from), initial, { classes, count: theirs.length, isUpsampling });
      if (merged) found.push([from, to, merged]);
    }
    const byName = Object.fromEntries(found.map(([, to, array]) => [to, array]));
    return { classes, arrays: byName, names: found.map(([from]) => from) };
  });
}

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

function misfit(file: string, model: string, problem: string): TensorError {
  return new TensorError({
    code: "state-dict-mismatch",
    message: `train: the weights in ${file} do not fit ${model}: ${problem}`,
    fix: "name the model that the weights were made for, or bring the names over first: fcn convert --names",
  });
}
