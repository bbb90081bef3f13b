import { io, TensorError } from "@fcn/tensor";
import { firstOf, matchNames, nameTarget, show } from "@fcn/tensor/internal";
import { counted } from "../../../data/files/words.js";
import { sourceName } from "../../../files/fetchBytes.js";
import { readClasses, refuseNonFinite } from "../../../models/file/weightsFile.js";
import type { GraphNet, NetOutput } from "../../../models/graph/net.js";
import { scoreLayers, scoreUpsampling } from "../../../models/graph/scoreLayers.js";
import type { Graph } from "../../../models/graph/spec.js";
import type { ClassMap } from "../../../surgery/heads.js";
import type { NameMap } from "../../../weights/nameMaps.js";
import type { HeadLabels } from "../../loss/heads.js";
import { bothWays } from "../../remedies.js";
import { classLayers, matchClasses, mergeRows } from "./classMatch.js";

/** What became of the arrays of a weights file. */
export interface StartReport {
  /** Number of arrays loaded. */
  readonly loaded: number;
  /**
   * Names of the score layers and their upsampling that were left out because the file is for other classes. These keep
   * their initial values.
   */
  readonly swapped: readonly string[];
  /** Names of the net that the file lacks, or has in an unreadable form. These keep their initial values too. */
  readonly missing: readonly string[];
  /** Names of the file that have no place in the net. */
  readonly unused: readonly string[];
  /** Arrays of the file that could not be read, and why. */
  readonly unread: readonly io.SkippedArray[];
  /** Prefixes removed from the names of the file. */
  readonly dropped: readonly string[];
  /** The prefix added to the names of the file; empty if there was none. */
  readonly added: string;
  /** How many arrays of the net's backbone were loaded, and how many there are. */
  readonly backbone: { readonly loaded: number; readonly all: number };
  /**
   * Classes of the data whose rows in the score layers were found by name at other places in the file; undefined if
   * rows stay in place.
   */
  readonly matched?: readonly string[];
}

interface StartOptions {
  /** Classes of the data, matched by name with those of the file. Default: rows stay in place. */
  readonly classes?: readonly string[];
  /** Heads that learn from extra labels, which have their own classes. */
  readonly headLabels?: HeadLabels;
  /** As in `io.loadWeights`. */
  readonly prefix?: string | undefined;
  /** From the names of the file to those of the net, where they differ in more than a prefix. */
  readonly names?: NameMap | undefined;
  /** What begins the message of an error. Default "train". */
  readonly op?: string;
}

/** Name in the file -> name in the net. */
type Names = ReadonlyMap<string, string>;

/**
 * Loads a weights file, in any format that `io` opens, into a net as its start. If the file is for other classes, the
 * head keeps its initial values, as it does for a file of a backbone alone; if the file names its classes, those of the
 * same name keep their rows. Prefixes are found as in `io.loadWeights`. Throws if another layer does not fit, if
 * nothing fits, or if the file holds nothing of the net's backbone.
 */
export async function loadStartWeights<Output extends NetOutput>(
  net: GraphNet<Output>,
  file: io.PathOrBytes,
  options: StartOptions = {},
): Promise<StartReport> {
  const { op = "train" } = options;
  const title = sourceName(file);
  const own = net.stateDict();
  const { names, unused, unread, dropped, added, shapes } = await readNames(net, file, options);
  const rows = await matchedRows(net, file, names, options);
  const merged = Object.keys(rows.arrays);
  const misfits = [...names].flatMap(([from, name]) => {
    const [shape, wanted] = [shapes.get(from) ?? [], own[name]?.shape ?? []];
    const fits = merged.includes(name) || `${wanted}` === `${shape}` || net.stateAdapter(name, shape) !== undefined;
    return fits ? [] : [{ from, name, shape, wanted }];
  });
  const counts = new Set(scoreLayers(net.graph).map((layer) => own[`${layer}.weight`]?.shape[0]));
  const stray = misfits.find(({ wanted }) => !counts.has(wanted[0]));
  if (stray !== undefined) {
    const { name, shape, wanted } = stray;
    throw misfit(op, title, net.graph, `${name} is ${show(shape)} in the file and ${show(wanted)} in the net`);
  }
  const left = new Set([...misfits.map(({ from }) => from), ...rows.names]);
  const rename = (from: string): string | undefined => (left.has(from) ? undefined : names.get(from));
  const taken = new Set([...names].filter(([from]) => !left.has(from)).map(([, name]) => name));
  const backbone = backboneOf(net);
  if (taken.size === 0) throw misfit(op, title, net.graph, `no name in the file is one of the net: ${holds(shapes)}`);
  if (backbone.length > 0 && !backbone.some((name) => taken.has(name))) {
    const what = `none of the ${backbone.length} arrays of its backbone is in the file: ${holds(shapes)}`;
    throw misfit(op, title, net.graph, what);
  }
  const { copied, reshaped, missing } = await io.loadWeights(net, file, { strict: false, rename });
  const matched = (options.classes ?? []).filter((_, label) => rows.classes[label] !== undefined);
  const isMatched = matched.length > 0;
  if (isMatched) net.loadStateDict(rows.arrays, { strict: false });
  await refuseNonFinite(op, net, file);
  const swapped = misfits.map(({ name }) => name);
  return {
    loaded: copied.length + reshaped.length + (isMatched ? merged.length : 0),
    swapped: isMatched ? swapped : [...swapped, ...merged],
    missing: missing.filter((name) => !swapped.includes(name) && !merged.includes(name)),
    ...{ unused, unread, dropped, added },
    backbone: { loaded: backbone.filter((name) => taken.has(name)).length, all: backbone.length },
    ...(isMatched ? { matched } : {}),
  };
}

/** Matches the file's arrays with those of the net, and lists the rest. */
async function readNames(
  net: GraphNet<NetOutput>,
  file: io.PathOrBytes,
  { prefix, names: map, op = "train" }: StartOptions,
) {
  const own = net.stateDict();
  const target = { own, adapterOf: net.stateAdapter.bind(net), stateName: net.stateName.bind(net) };
  return io.openWeights(file, ({ arrays, skipped, dropped: before }) => {
    const shapes = new Map(Object.entries(arrays).map(([name, { shape }]) => [name, shape]));
    const mapped = (from: string): string => map?.rename(from) ?? from;
    const known = new Map([...shapes].map(([from, shape]) => [mapped(from), shape]));
    const { rename, dropped, added } = matchNames(`${op}: ${sourceName(file)}`, nameTarget(target), known, prefix);
    const names: Names = new Map(
      [...shapes.keys()].flatMap((from) => {
        const name = rename(mapped(from));
        const mine = name === undefined ? undefined : net.stateName(name);
        return mine !== undefined && Object.hasOwn(own, mine) ? [[from, mine] as const] : [];
      }),
    );
    const unused = [...shapes.keys()].filter((from) => !names.has(from) && !COUNTS.test(from));
    return { names, unused, unread: skipped, dropped: [...before, ...dropped], added, shapes };
  });
}

/** Counters that PyTorch stores with the weights. */
const COUNTS = /(^|\.)(num_batches_tracked|n_averaged)$/;

/** The arrays that features come from: the backbone by its name, otherwise all but the scores and their upsampling. */
function backboneOf(net: GraphNet<NetOutput>): string[] {
  const heads = new Set([...scoreLayers(net.graph), ...scoreUpsampling(net.graph)]);
  const names = Object.keys(net.stateDict()).filter((name) => !heads.has(name.slice(0, name.lastIndexOf("."))));
  const backbone = names.filter((name) => name.startsWith("backbone."));
  return backbone.length > 0 ? backbone : names;
}

const holds = (shapes: ReadonlyMap<string, unknown>): string => `it holds ${some([...shapes.keys()])}`;

/** The report as lines for people. */
export function describeStart(
  file: string,
  classes: readonly string[],
  { loaded, swapped, missing, matched, unused, unread, dropped, added, backbone }: StartReport,
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
  const where = unread.length > 0 ? "not in the file, or not in a form that is read" : "not in the file";
  if (missing.length > 0) lines.push(`${where}, so these start anew: ${some(missing)}`);
  if (dropped.length > 0) lines.push(`dropped from the names of the file: ${dropped.join(", ")}`);
  if (added !== "") lines.push(`put before the names of the file: ${added}`);
  if (unread.length > 0) {
    lines.push(`could not be read: ${some(unread.map(({ name, reason }) => `${name} (${reason})`))}`);
  }
  if (unused.length > 0) lines.push(`${counted(unused.length, "array")} of the file not used: ${some(unused)}`);
  if (2 * backbone.loaded < backbone.all) {
    lines.push(
      `WARNING: only ${backbone.loaded} of the ${backbone.all} arrays of the backbone are in the file; the others start anew`,
    );
  }
  return lines;
}

const some = (names: readonly string[]): string => firstOf(names, 8);

interface MatchedRows {
  readonly classes: ClassMap;
  /** By their names in the net. */
  readonly arrays: Readonly<Record<string, io.HostArray>>;
  /** The names of these arrays in the file. */
  readonly names: readonly string[];
}

/**
 * The arrays with a row per class, in the order of the data's classes; none if the rows of the file may stay as they
 * are.
 */
async function matchedRows<Output extends NetOutput>(
  net: GraphNet<Output>,
  file: io.PathOrBytes,
  names: Names,
  { classes: wanted = [], headLabels = {} }: StartOptions,
): Promise<MatchedRows> {
  const own = net.stateDict();
  const { scores, upsampling } = classLayers(net.graph, headLabels);
  return io.openWeights(file, async ({ format, metadata, read }) => {
    const theirs = format === "safetensors" ? readClasses(metadata) : undefined;
    const classes = theirs && matchClasses(wanted, theirs);
    if (theirs === undefined || classes === undefined) return { classes: [], arrays: {}, names: [] };
    const found: [from: string, to: string, array: io.HostArray][] = [];
    for (const [from, to] of names) {
      const layer = to.slice(0, to.lastIndexOf("."));
      const tensor = own[to];
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

function misfit(op: string, file: string, { name }: Graph, problem: string): TensorError {
  return new TensorError({
    code: "state-dict-mismatch",
    message: `${op}: the weights in ${file} do not fit ${name}: ${problem}`,
    fix: bothWays((say) => {
      const model = `name the model that the weights were made for${say("", " (--model)")}`;
      const prefix = `say what precedes the names of the net (${say("prefix", "--prefix")})`;
      return `${model}, ${prefix}, or rename its arrays first (fcn convert --names)`;
    }),
  });
}
