import { Tensor } from "../core/tensor.js";
import { brief, hasCode, show, showSome, TensorError } from "../plain/errors.js";
import { elementsOf, sameShape } from "../plain/shape.js";
import { matchNames, type NameTarget } from "./matchNames.js";

/** Row-major values on the host, as the readers of `io` give them. */
export interface StateArray {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number> | BigInt64Array | BigUint64Array;
}

/** What `loadStateDict` takes: a tensor or a host array by name. */
export type StateDict = Readonly<Record<string, Tensor | StateArray>>;

export interface LoadOptions {
  /**
   * Throw unless every name of the module is given, no other name is, and all shapes fit. Default true. Otherwise what
   * fits is loaded and the report names the rest.
   */
  readonly strict?: boolean;
  /**
   * Also take values of another shape with as many elements, in their row-major order, where one shape splits or joins
   * neighbouring dimensions of the other, as Caffe copies blobs: [4096, 25088] into [4096, 512, 7, 7], [1, 1, 1, N]
   * into [N]. Default false.
   */
  readonly reshape?: boolean;
}

export interface LoadReport {
  /** Names whose values were taken as they are. */
  readonly copied: readonly string[];
  /** Names whose values were taken into another shape: see `reshape`, and forms that the module itself converts. */
  readonly reshaped: readonly string[];
  /** Names of both whose shapes do not fit; the module keeps what it has. */
  readonly skipped: readonly string[];
  /** Names of the module that the dict lacks. */
  readonly missing: readonly string[];
  /** Names of the dict that the module lacks; with a prefix that was found or chosen, names of a file beside it too. */
  readonly unexpected: readonly string[];
  /** Of `io.loadWeights`: what was dropped from the names of the file, such as `module.`; absent where nothing was. */
  readonly dropped?: readonly string[];
  /** Of `io.loadWeights`: what was put before the names of the file, such as `backbone.`; absent where nothing was. */
  readonly added?: string;
  /** Of `io.loadWeights`: arrays of the file that could not be read, and why; absent where all could. */
  readonly unread?: readonly { readonly name: string; readonly reason: string }[];
}

/** Turns values of one form into the form that a module has. */
export type StateAdapter = (source: StateArray) => StateArray;

/**
 * The tensors to load into, and what converts a source of shape `from`; undefined when only the shape of the tensor
 * fits.
 */
export interface LoadTarget {
  readonly own: Readonly<Record<string, Tensor>>;
  adapterOf(name: string, from: readonly number[]): StateAdapter | undefined;
  /** The name here for a name elsewhere. */
  stateName(name: string): string;
}

export interface LoadPlan {
  readonly report: LoadReport;
  readonly adapters: ReadonlyMap<string, StateAdapter>;
}

/**
 * PyTorch counts the batches of a batch norm here, and AveragedModel the nets that it averages; the first is used only
 * where momentum is None.
 */
const OPTIONAL = /(^|\.)(num_batches_tracked|n_averaged)$/;

/** How the names and shapes of a target are looked up while prefixes are sought. */
export function nameTarget({ own, adapterOf, stateName }: LoadTarget, reshape = false): NameTarget {
  const fits = (name: string, shape: readonly number[]): boolean => {
    const wanted = own[name]!.shape;
    return (
      sameShape(shape, wanted) ||
      (reshape && sameElementOrder(shape, wanted)) ||
      (elementsOf(shape) === elementsOf(wanted) && adapterOf(name, shape) !== undefined)
    );
  };
  const find = (given: string, shape: readonly number[]): string | undefined => {
    const name = stateName(given);
    return Object.hasOwn(own, name) && fits(name, shape) ? name : undefined;
  };
  return { names: Object.keys(own).filter((name) => !OPTIONAL.test(name)), find };
}

/**
 * Compares names and shapes, before anything is written. Throws a TensorError ("state-dict-mismatch") with all that
 * does not fit unless `strict` is false. `unread` are arrays that could not be read, by the module's name for them, and
 * why.
 */
export function planLoad(
  op: string,
  target: LoadTarget,
  shapes: ReadonlyMap<string, readonly number[]>,
  { strict = true, reshape = false }: LoadOptions,
  unread: ReadonlyMap<string, string> = new Map(),
): LoadPlan {
  const { own, adapterOf } = target;
  const has = (name: string) => Object.hasOwn(own, name);
  const report = { copied: [], reshaped: [], skipped: [], missing: [], unexpected: [] } as {
    -readonly [K in "copied" | "reshaped" | "skipped" | "missing" | "unexpected"]: string[];
  };
  const adapters = new Map<string, StateAdapter>();
  for (const [name, shape] of shapes) {
    if (!has(name)) {
      if (!OPTIONAL.test(name)) report.unexpected.push(name);
    } else if (sameShape(shape, own[name]!.shape)) report.copied.push(name);
    else {
      const adapter = adapterOf(name, shape);
      if (adapter) adapters.set(name, adapter);
      const fits = adapter !== undefined || (reshape && sameElementOrder(shape, own[name]!.shape));
      report[fits ? "reshaped" : "skipped"].push(name);
    }
  }
  report.missing = Object.keys(own).filter((name) => !shapes.has(name) && !OPTIONAL.test(name));
  if (strict) refuseMisfits(op, report, target, shapes, unread);
  return { report, adapters };
}

/**
 * Whether values of one shape are, in row-major order, values of the other: one splits or joins neighbouring dimensions
 * of the other, so that all borders between dimensions of the coarser one are borders of the finer one. [3, 4] is not
 * [4, 3].
 */
function sameElementOrder(a: readonly number[], b: readonly number[]): boolean {
  if (elementsOf(a) !== elementsOf(b)) return false;
  const [left, right] = [borders(a), borders(b)];
  return [...left].every((at) => right.has(at)) || [...right].every((at) => left.has(at));
}

/** Elements before each border between dimensions: the products of the first sizes. */
function borders(shape: readonly number[]): Set<number> {
  const products = shape.map((_, dim) => elementsOf(shape.slice(0, dim + 1)));
  return new Set(products.filter((product) => product > 1));
}

function refuseMisfits(
  op: string,
  { skipped, missing: lacking, unexpected }: LoadReport,
  target: LoadTarget,
  shapes: ReadonlyMap<string, readonly number[]>,
  unread: ReadonlyMap<string, string>,
): void {
  const { own } = target;
  const missing = lacking.filter((name) => !unread.has(name));
  const left = lacking.flatMap((name) => (unread.has(name) ? [`${brief(name)}: ${unread.get(name)}`] : []));
  const misfits = skipped.map(
    (name) => `${brief(name)} is ${show(shapes.get(name)!)}, the module has ${show(own[name]!.shape)}`,
  );
  const problems = [
    ...(left.length > 0 ? [`in the file, but not readable: ${showSome(left, { separator: "; " })}`] : []),
    ...(missing.length > 0 ? [`missing: ${showSome(missing)}`] : []),
    ...(unexpected.length > 0 ? [`unexpected: ${showSome(unexpected)}`] : []),
    ...(misfits.length > 0 ? [`of the wrong shape: ${showSome(misfits, { separator: "; " })}`] : []),
  ];
  if (problems.length === 0) return;
  const reshapes = skipped.some((name) => sameElementOrder(shapes.get(name)!, own[name]!.shape));
  const hint = left.length > 0 ? UNREADABLE : (parametrised(missing, shapes) ?? prefixRemedy(op, target, shapes));
  throw new TensorError({
    code: "state-dict-mismatch",
    message: `${op}: nothing was loaded; ${problems.join(" | ")}`,
    fix: hint ?? remedy(misfits.length > 0, reshapes),
  });
}

const UNREADABLE = "save these as plain tensors of real numbers where the weights were made";

/** weight_norm, spectral_norm and others keep what a weight is computed from in its place. */
function parametrised(missing: readonly string[], shapes: ReadonlyMap<string, unknown>): string | undefined {
  const found = missing.find((name) => {
    const [, module = "", own = name] = /^(.*\.)?([^.]+)$/.exec(name) ?? [];
    const forms = [`${module}parametrizations.${own}.original`, `${name}_orig`, `${name}_g`];
    return forms.some((form) => shapes.has(form) || shapes.has(`${form}0`));
  });
  if (found === undefined) return undefined;
  return `save the weights themselves: ${brief(found)} is computed from others (weight_norm, spectral_norm), so call torch.nn.utils.parametrize.remove_parametrizations or torch.nn.utils.remove_weight_norm first`;
}

/** Names that a prefix tells apart from those of the module. */
function prefixRemedy(
  op: string,
  target: LoadTarget,
  shapes: ReadonlyMap<string, readonly number[]>,
): string | undefined {
  try {
    const { dropped, added, matched } = matchNames(op, nameTarget(target), shapes);
    const all = matched === nameTarget(target).names.length;
    if (!all || (dropped.length === 0 && added === "")) return undefined;
    const parts = [...dropped.map((part) => `without ${JSON.stringify(part)}`), ...(added ? [`after "${added}"`] : [])];
    return `the names fit ${parts.join(" and ")}: rename them, or load the file with io.loadWeights, which does it`;
  } catch (error) {
    if (!hasCode(error, "ambiguous-prefix")) throw error;
    const [prefix = ""] = [error.details?.prefixes ?? []].flat().slice(-1);
    return `choose one: load the file with io.loadWeights and { prefix: ${JSON.stringify(prefix)} }, for example`;
  }
}

function remedy(shapes: boolean, reshapes: boolean): string {
  if (reshapes)
    return "pass { reshape: true } to take values of another shape in their order, or { strict: false } to load only what fits";
  return shapes
    ? "create the module with the options that the weights were made with, or pass { strict: false } to load only what fits"
    : "load into the module that the weights were made for, or pass { strict: false } to load what fits";
}

/** Copies the values of `dict` into the tensors of `target`, after all names and shapes are checked. */
export function loadInto(target: LoadTarget, dict: StateDict, options: LoadOptions): LoadReport {
  const op = "loadStateDict";
  const { own } = target;
  // Values on the GPU cannot be converted without waiting for them, but seen in another shape.
  const adapterOf = (name: string, from: readonly number[]) => {
    const adapter = target.adapterOf(name, from);
    if (!(dict[name] instanceof Tensor)) return adapter;
    return adapter && sameElementOrder(from, own[name]!.shape) ? (source: StateArray) => source : undefined;
  };
  for (const [name, value] of Object.entries(dict)) checkEntry(op, name, value);
  const shapes = new Map(Object.entries(dict).map(([name, { shape }]) => [name, shape]));
  const { report, adapters } = planLoad(op, { ...target, adapterOf }, shapes, options);
  for (const name of [...report.copied, ...report.reshaped]) checkValues(op, name, dict[name]!);
  const ready = new Map([...adapters].map(([name, adapt]) => [name, adapt(dict[name] as StateArray)]));
  for (const name of report.copied) copyInto(own[name]!, dict[name]!);
  for (const name of report.reshaped) copyInto(own[name]!, ready.get(name) ?? dict[name]!);
  return report;
}

function checkEntry(op: string, name: string, value: unknown): void {
  if (value instanceof Tensor) return;
  const { shape, data } = (value ?? {}) as Partial<StateArray>;
  if (Array.isArray(shape) && typeof data === "object" && data !== null && "length" in data) return;
  throw new TensorError({
    code: "invalid-argument",
    message: `${op}: ${brief(name)} is neither a tensor nor a host array`,
    fix: { code: "pass tensors or { dtype, shape, data } by name; io.loadWeights loads an opened file" },
  });
}

/** Throws when an array does not have as many values as its shape says. */
function checkValues(op: string, name: string, source: Tensor | StateArray): void {
  const count = elementsOf(source.shape);
  if (source instanceof Tensor || source.data.length === count) return;
  throw new TensorError({
    code: "state-dict-mismatch",
    message: `${op}: nothing was loaded; ${brief(name)} has ${source.data.length} values, shape ${show(source.shape)} needs ${count}`,
    fix: "give the array the shape that its values have",
  });
}

/** Copies values in place: as many as the target has, in row-major order. */
export function copyInto(target: Tensor, source: Tensor | StateArray): void {
  if (source instanceof Tensor) {
    if (source === target) return;
    using values = source.detach();
    using shaped = values.reshape(target.shape);
    target.assign(sameShape(source.shape, target.shape) ? source : shaped);
    return;
  }
  const { data } = source;
  const ready = target.dtype === "int32" ? data instanceof Int32Array : data instanceof Float32Array;
  target.assign(ready ? (data as Float32Array | Int32Array) : converted(target, data));
}

function converted(target: Tensor, data: StateArray["data"]): Float32Array | Int32Array {
  const out = target.dtype === "int32" ? new Int32Array(data.length) : new Float32Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = Number(data[i]);
  return out;
}
