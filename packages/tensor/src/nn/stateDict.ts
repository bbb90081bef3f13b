import { Tensor } from "../core/tensor.js";
import { brief, hasCode, invalidArgument, show, showSome, TensorError } from "../plain/errors.js";
import type { HostNumbers } from "../plain/nested.js";
import { elementsOf, sameShape } from "../plain/shape.js";
import { matchNames, type NameTarget } from "./matchNames.js";

/** Row-major values on the host, as returned by the readers in `io`. */
export interface StateArray {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: HostNumbers;
}

/** What `loadStateDict` takes: tensors or host arrays by name. */
export type StateDict = Readonly<Record<string, Tensor | StateArray>>;

export interface LoadOptions {
  /**
   * Throw unless the names are exactly those of the module and all shapes fit. Default true. If false, load what fits
   * and report the rest.
   */
  readonly strict?: boolean;
  /**
   * Also accept values of another shape, in row-major order, if one shape splits or joins neighbouring dimensions of
   * the other, as Caffe does when it copies blobs: [4096, 25088] into [4096, 512, 7, 7], or [1, 1, 1, N] into [N].
   * Default false.
   */
  readonly reshape?: boolean;
}

export interface LoadReport {
  /** Names whose values were copied unchanged. */
  readonly copied: readonly string[];
  /** Names whose values were copied into another shape, by `reshape` or by a conversion of the module. */
  readonly reshaped: readonly string[];
  /** Names on both sides whose shapes do not fit; the module keeps its values. */
  readonly skipped: readonly string[];
  /** Names in the module but not in the dict. */
  readonly missing: readonly string[];
  /** Names in the dict but not in the module. With a prefix, this includes names in the file that do not have it. */
  readonly unexpected: readonly string[];
  /** `io.loadWeights` only: what was dropped from the names in the file, such as `module.`; absent if nothing was. */
  readonly dropped?: readonly string[];
  /** `io.loadWeights` only: what was put before the names in the file, such as `backbone.`; absent if nothing was. */
  readonly added?: string;
  /** `io.loadWeights` only: arrays in the file that could not be read, and why; absent if all could. */
  readonly unread?: readonly { readonly name: string; readonly reason: string }[];
}

/** Converts values to the form that a module has. */
export type StateAdapter = (source: StateArray) => StateArray;

/**
 * The tensors to load into. `adapterOf` returns the conversion for a source of shape `from`, or undefined if only the
 * tensor's own shape fits.
 */
export interface LoadTarget {
  readonly own: Readonly<Record<string, Tensor>>;
  adapterOf(name: string, from: readonly number[]): StateAdapter | undefined;
  /** The name here for a name in a dict or file. */
  stateName(name: string): string;
}

export interface LoadPlan {
  readonly report: LoadReport;
  readonly adapters: ReadonlyMap<string, StateAdapter>;
}

/**
 * PyTorch counts the batches that a batch norm has seen, which is used only if momentum is None, and the nets that
 * AveragedModel has averaged.
 */
const OPTIONAL = /(^|\.)(num_batches_tracked|n_averaged)$/;

/** What the search for prefixes needs: looks up names and shapes in a target. */
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
 * Compares names and shapes before anything is written. Unless `strict` is false, throws `state-dict-mismatch` with
 * everything that does not fit. `unread` holds why arrays could not be read, by their names in the module.
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
 * Whether row-major values of one shape are row-major values of the other: one shape splits or joins neighbouring
 * dimensions of the other, so [3, 4] is not [4, 3]. Then every border between dimensions of the coarser shape is a
 * border of the finer one.
 */
function sameElementOrder(a: readonly number[], b: readonly number[]): boolean {
  if (elementsOf(a) !== elementsOf(b)) return false;
  const [left, right] = [borders(a), borders(b)];
  return [...left].every((at) => right.has(at)) || [...right].every((at) => left.has(at));
}

/** Number of elements before each border between dimensions: the products of the first sizes. */
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
    ...listed("in the file, but not readable", left, "; "),
    ...listed("missing", missing),
    ...listed("unexpected", unexpected),
    ...listed("of the wrong shape", misfits, "; "),
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

const listed = (what: string, names: readonly string[], separator = ", "): string[] =>
  names.length > 0 ? [`${what}: ${showSome(names, { separator })}`] : [];

const UNREADABLE = "save these as plain tensors of real numbers where the weights were made";

/**
 * With weight_norm, spectral_norm and similar, a file has the values that a weight is computed from, not the weight.
 */
function parametrised(missing: readonly string[], shapes: ReadonlyMap<string, unknown>): string | undefined {
  const found = missing.find((name) => {
    const [, module = "", own = name] = /^(.*\.)?([^.]+)$/.exec(name) ?? [];
    const forms = [`${module}parametrizations.${own}.original`, `${name}_orig`, `${name}_g`];
    return forms.some((form) => shapes.has(form) || shapes.has(`${form}0`));
  });
  if (found === undefined) return undefined;
  return `save the weights themselves: ${brief(found)} is computed from others (weight_norm, spectral_norm), so call torch.nn.utils.parametrize.remove_parametrizations or torch.nn.utils.remove_weight_norm first`;
}

/** The fix if the names differ from those of the module only by a prefix. */
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

/** Copies the values of `dict` into the tensors of `target`, after checking all names and shapes. */
export function loadInto(target: LoadTarget, dict: StateDict, options: LoadOptions): LoadReport {
  const op = "loadStateDict";
  const { own } = target;
  // Converting values on the GPU would mean waiting for them; viewing them in another shape does not.
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
  throw invalidArgument(`${op}: ${brief(name)} is neither a tensor nor a host array`, {
    code: "pass tensors or { dtype, shape, data } by name; io.loadWeights loads an opened file",
  });
}

/** Throws unless an array has as many values as its shape needs. */
function checkValues(op: string, name: string, source: Tensor | StateArray): void {
  const count = elementsOf(source.shape);
  if (source instanceof Tensor || source.data.length === count) return;
  throw new TensorError({
    code: "state-dict-mismatch",
    message: `${op}: nothing was loaded; ${brief(name)} has ${source.data.length} values, shape ${show(source.shape)} needs ${count}`,
    fix: "give the array the shape that its values have",
  });
}

/** Copies values in place and in row-major order. The number of values must match. */
export function copyInto(target: Tensor, source: Tensor | StateArray): void {
  if (!(source instanceof Tensor)) {
    target.assign(source.data);
  } else if (source !== target) {
    using values = source.detach();
    using shaped = values.reshape(target.shape);
    target.assign(sameShape(source.shape, target.shape) ? source : shaped);
  }
}
