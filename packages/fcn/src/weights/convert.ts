import { io, type TensorError } from "@fcn/tensor";
import { invalidArgument, matchNames, type NameMatch } from "@fcn/tensor/internal";
import { isBucket } from "../files/buckets.js";
import { localFile, remoteAddress } from "../files/fetchBytes.js";
import { encodeMetadata, type PartialMetadata } from "../models/file/weightsFile.js";
import { NAME_MAPS, type NameMap } from "./nameMaps.js";
import { isTensorFlowModel, openTensorFlow, TENSORFLOW_MAPS } from "./tensorflow/open.js";

export interface ConvertOptions {
  /** A name map, or its name in {@link NAME_MAPS}. Default: names are kept. */
  readonly names?: string | NameMap | undefined;
  /**
   * The prefix of the net's names in the file, such as `student.`: it is dropped, and arrays without it are left out.
   */
  readonly prefix?: string | undefined;
  /** Which state dict of a PyTorch checkpoint to read; see `io.readPth`. */
  readonly key?: string | undefined;
  /** Classes of a PyTorch file to read as inert data; see `io.readPth`. */
  readonly opaque?: readonly string[] | undefined;
  /** Called before each array is read, with the bytes written so far and the total. */
  readonly onProgress?: (done: number, total: number) => void;
}

export type OutputFormat = "safetensors" | "npz";

export interface ConvertReport {
  readonly from: io.WeightsFormat | "tfjs";
  readonly to: OutputFormat;
  /** Where in a PyTorch checkpoint the state dict was found; null if it is the whole file. */
  readonly key: string | null;
  readonly arrays: number;
  /** Total bytes of all values as written. */
  readonly bytes: number;
  /** Old and new names that differ. */
  readonly renamed: readonly (readonly [from: string, to: string])[];
  /** New names of the arrays whose shape changed. */
  readonly reshaped: readonly string[];
  /** Names in the file that do not refer to an array. */
  readonly ignored: readonly string[];
  /** Arrays that could not be read, and why. */
  readonly skipped: readonly io.SkippedArray[];
  /** Prefixes dropped from the file's names: those added by PyTorch wrappers, and the chosen one. */
  readonly dropped: readonly string[];
  /** Names without the prefix, which were left out. */
  readonly unused: readonly string[];
  /** Names of the metadata that was kept. */
  readonly metadata: readonly string[];
  /** Names of the metadata that the new format cannot store. */
  readonly lostMetadata: readonly string[];
}

/** The format implied by a path's extension; undefined for any other extension. */
export function outputFormat(path: string): OutputFormat | undefined {
  const ending = /\.(safetensors|npz)$/i.exec(path)?.[1];
  return ending?.toLowerCase() as OutputFormat | undefined;
}

/**
 * Converts a file of weights (safetensors, `.npz`, `.pth`, `.caffemodel`, or the `model.json` of TensorFlow.js) to
 * safetensors or `.npz`, by the extension of `output` (Node). The file may lie in a bucket or on a web server. Except
 * for TensorFlow.js, only one array at a time is in memory. The new file appears once it is complete.
 *
 * Arrays of unsupported types are left out and named in the report; a damaged file is never converted in part.
 *
 * Throws what `io.openWeights` throws, and `invalid-argument` for an unknown extension or map, a map that covers none
 * of the names, a prefix that no name has, and two arrays that would get the same name.
 */
export const convert = async (input: string, output: string, options: ConvertOptions = {}): Promise<ConvertReport> =>
  writeConverted(input, output, options, { to: formatOf(output) });

function formatOf(output: string): OutputFormat {
  const format = outputFormat(output);
  if (format !== undefined) return format;
  throw refuse(`${output} ends in neither .safetensors nor .npz`, "name the output x.safetensors or x.npz");
}

/** Builds the metadata about the net in the new safetensors file, from the new names and shapes of its arrays. */
export type Describe = (shapes: Readonly<Record<string, readonly number[]>>) => PartialMetadata;

/**
 * Matches the names of a file, see {@link matchNames}.
 *
 * @internal
 */
export type FindNames = (names: ReadonlyMap<string, readonly number[]>, prefix: string | undefined) => NameMatch;

/** Without a net, only the chosen prefix is dropped from names. */
const asChosen: FindNames = (shapes, prefix) =>
  matchNames("convert", { names: [], find: () => undefined }, shapes, prefix ?? "");

/**
 * Does the work of {@link convert} for an output of any name, and may add metadata.
 *
 * @internal
 */
export async function writeConverted(
  input: string,
  output: string,
  options: ConvertOptions,
  {
    to,
    describe,
    findNames = asChosen,
  }: { readonly to: OutputFormat; readonly describe?: Describe; readonly findNames?: FindNames },
): Promise<ConvertReport> {
  const { names, prefix, key, opaque, onProgress = () => {} } = options;
  const tensorflow = typeof names === "string" && Object.hasOwn(TENSORFLOW_MAPS, names) ? names : undefined;
  const map = typeof names === "string" && tensorflow === undefined ? nameMap(names) : (names as NameMap | undefined);
  const write = async (weights: Opened, chosen: NameMap | undefined): Promise<ConvertReport> => {
    // Reading damaged arrays throws the error that describes the damage.
    for (const { name, damaged } of weights.skipped) if (damaged) await weights.read?.(name);
    const shapes = new Map(Object.entries(weights.arrays).map(([name, { shape }]) => [name, shape]));
    const found = chosen === undefined || prefix !== undefined ? findNames(shapes, prefix) : asChosen(shapes, "");
    const moves = planMoves(weights, found, chosen);
    const arrays = Object.fromEntries(withProgress(moves, onProgress));
    if (to === "npz") await io.writeNpz(output, arrays);
    else {
      const { preprocessing } = chosen ?? {};
      const own = describe?.(Object.fromEntries(moves.map((move) => [move.to, move.shape])));
      const metadata = {
        ...encodeMetadata(preprocessing ? { preprocessing } : {}),
        ...weights.metadata,
        ...encodeMetadata(own ?? {}),
      };
      await io.writeSafetensors(output, arrays, { metadata });
    }
    return reportOf(weights, moves, found, to);
  };
  if (isTensorFlowModel(input)) {
    if (isBucket(input) || remoteAddress(input) !== undefined) {
      throw refuse(`${input} is a model of several files`, "copy its folder here, and name the model.json in it");
    }
    const weights = await openTensorFlow(input, tensorflow);
    return write({ ...weights, format: "tfjs" }, tensorflow === undefined ? map : undefined);
  }
  if (tensorflow !== undefined)
    throw refuse(`${tensorflow} is for TensorFlow.js models`, "give the path of a model.json");
  return io.openWeights(await localFile("convert", input), (weights) => write(weights, map), { key, opaque });
}

type Opened = Pick<io.Weights, "arrays" | "metadata" | "ignored" | "skipped" | "dropped" | "key"> &
  Partial<Pick<io.Weights, "read">> & { readonly format: ConvertReport["from"] };

/** Looks up a map by name. */
export function nameMap(name: string): NameMap {
  const map = Object.hasOwn(NAME_MAPS, name) ? NAME_MAPS[name] : undefined;
  if (map !== undefined) return map;
  throw refuse(
    `there is no name map ${JSON.stringify(name)}`,
    `use one of: ${[...Object.keys(NAME_MAPS), ...Object.keys(TENSORFLOW_MAPS)].join(", ")}`,
  );
}

interface Move {
  readonly from: string;
  readonly to: string;
  readonly array: io.LazyArray;
  readonly shape: readonly number[];
}

function planMoves({ arrays }: Opened, found: NameMatch, map: NameMap | undefined): Move[] {
  const bare = Object.entries(arrays).flatMap(([from, array]) => {
    const name = found.rename(from);
    return name === undefined ? [] : [{ from, name, array }];
  });
  const names = bare.map(({ name }) => name);
  if (map !== undefined && !names.some((name) => map.covers(name))) {
    const shown = names.slice(0, 4).join(", ");
    throw refuse(
      `the map (${map.summary}) covers none of the names ${shown}`,
      "choose the map for these names, or none",
    );
  }
  const taken = new Map<string, string>();
  return bare.map(({ from, name, array }) => {
    const to = map?.rename(name) ?? name;
    const other = taken.get(to);
    if (other !== undefined) throw refuse(`both ${other} and ${from} would be called ${to}`, "choose another map");
    taken.set(to, from);
    return { from, to, array, shape: map?.shapeOf(to, array.shape) ?? array.shape };
  });
}

/** The arrays under their new names; each reports progress when it is read. */
function withProgress(
  moves: readonly Move[],
  onProgress: (done: number, total: number) => void,
): [string, io.WritableArray][] {
  const total = bytesOf(moves);
  let done = 0;
  return moves.map(({ to, array, shape }) => {
    const data = async (): Promise<io.HostData> => {
      onProgress(done, total);
      const values = await array.data();
      done += values.byteLength;
      return values;
    };
    return [to, { dtype: array.dtype, shape, data }];
  });
}

const bytesOf = (moves: readonly Move[]): number => moves.reduce((total, { array }) => total + array.byteLength, 0);

function reportOf(weights: Opened, moves: readonly Move[], found: NameMatch, to: OutputFormat): ConvertReport {
  const metadata = Object.keys(weights.metadata);
  return {
    from: weights.format,
    to,
    key: weights.key ?? null,
    arrays: moves.length,
    bytes: bytesOf(moves),
    renamed: moves.filter((move) => move.from !== move.to).map((move) => [move.from, move.to] as const),
    reshaped: moves.filter(({ shape, array }) => shape.join() !== array.shape.join()).map((move) => move.to),
    ignored: weights.ignored,
    skipped: weights.skipped.map(({ name, reason, damaged }) => ({ name, reason, damaged })),
    dropped: [...weights.dropped, ...found.dropped],
    unused: Object.keys(weights.arrays).filter((name) => found.rename(name) === undefined),
    metadata: to === "npz" ? [] : metadata,
    lostMetadata: to === "npz" ? metadata : [],
  };
}

function refuse(problem: string, fix: string): TensorError {
  return invalidArgument(`convert: ${problem}`, fix);
}
