import { brief, showSome, TensorError } from "../../plain/errors.js";
import { type Place, unsupportedFile } from "../errors.js";
import { SAVE_STATE_DICT } from "../pickle/unpickle.js";
import { Opaque, type Value } from "../pickle/values.js";
import { TensorRef, Unread } from "./tensors.js";

export interface Checkpoint {
  readonly tensors: ReadonlyMap<string, TensorRef>;
  /** Tensors of the state dict that are described in a way that is not read. */
  readonly unread: ReadonlyMap<string, Unread>;
  /** Names in the state dict whose values are no tensors. */
  readonly ignored: readonly string[];
  /** Where the state dict was found; undefined when it is the whole file. */
  readonly key: string | undefined;
  /** Numbers, strings and booleans beside it, such as the epoch. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What checkpoints call the state dict of the net, the most telling first. */
const USUAL = ["model_state_dict", "state_dict", "model", "net", "network", "module", "weights", "params"];

/**
 * A nested dict or list is searched when the one above it has no tensors: {"checkpoint": {"model": ...}}, [state_dict,
 * epoch].
 */
const DEPTH = 3;

type Dict = ReadonlyMap<Value, Value>;
type Holder = Dict | readonly Value[];

const isDict = (value: Value): value is Dict => value instanceof Map;
const hasOf = (dict: Dict, kind: typeof TensorRef | typeof Unread): boolean =>
  [...dict.keys()].every((key) => typeof key === "string") && [...dict.values()].some((item) => item instanceof kind);

/**
 * The state dict in what torch.save wrote: the whole of it, or one of its values. Throws when there is none, or when
 * several could be meant and none has a usual name.
 *
 * @param key where it is, if the caller knows: "" for the whole, or keys joined by dots
 */
export function findStateDict(at: Place, root: Value, key?: string): Checkpoint {
  const readable = findCandidates(root, TensorRef);
  const candidates = readable.size > 0 ? readable : findCandidates(root, Unread);
  const chosen = key === undefined ? choose(at, candidates) : candidates.get(key);
  if (chosen === undefined) throw candidates.size > 0 ? unknownKey(at, key!, candidates) : noStateDict(at, root);
  const found = key ?? nameOf(candidates, chosen);
  const tensors = new Map<string, TensorRef>();
  const unread = new Map<string, Unread>();
  const ignored: string[] = [];
  for (const [name, value] of chosen) {
    if (value instanceof TensorRef) tensors.set(name, value);
    else if (value instanceof Unread) unread.set(name, value);
    else ignored.push(name);
  }
  return {
    tensors,
    unread,
    ignored,
    key: found === "" ? undefined : found,
    metadata: found === "" ? {} : scalars(root),
  };
}

/** What a dict holds by its keys, or a list by its indices. */
function itemsOf(holder: Holder): [key: string, value: Value][] {
  if (!isDict(holder)) return holder.map((value, i) => [String(i), value]);
  return [...holder].flatMap(([key, value]) => (typeof key === "string" ? [[key, value]] : []));
}

/**
 * The dicts with tensors by their keys, of the first level that has any; the whole file is "". A pickle can refer to
 * one dict or list many times, so each is looked into once.
 */
function findCandidates(root: Value, kind: typeof TensorRef | typeof Unread): Map<string, ReadonlyMap<string, Value>> {
  const found = new Map<string, ReadonlyMap<string, Value>>();
  const known = new Map<Holder, boolean>();
  const look = (path: string, value: Value): [string, Holder][] => {
    if (!isDict(value) && !Array.isArray(value)) return [];
    const fresh = !known.has(value);
    if (fresh) known.set(value, isDict(value) && hasOf(value, kind));
    if (known.get(value)) found.set(path, value as ReadonlyMap<string, Value>);
    return fresh ? [[path, value]] : [];
  };
  let level = look("", root);
  for (let depth = 0; depth < DEPTH && (found.size === 0 || depth === 0); depth++) {
    level = level.flatMap(([path, holder]) =>
      itemsOf(holder).flatMap(([key, value]) => look(path === "" ? key : `${path}.${key}`, value)),
    );
  }
  return found;
}

type Candidates = ReadonlyMap<string, ReadonlyMap<string, Value>>;

function choose(at: Place, candidates: Candidates): ReadonlyMap<string, Value> | undefined {
  if (candidates.size <= 1) return [...candidates.values()][0];
  const usual = USUAL.find((name) => candidates.has(name));
  if (usual !== undefined) return candidates.get(usual);
  throw new TensorError({
    code: "ambiguous-checkpoint",
    message: `${at.reader}: ${at.file}: it holds several state dicts: ${describe(candidates)}`,
    fix: { code: `choose one: pass { key: ${JSON.stringify(brief([...candidates.keys()].at(-1)!))} }, for example` },
    details: { keys: [...candidates.keys()].map((name) => brief(name)), file: at.file },
  });
}

const nameOf = (candidates: Candidates, dict: ReadonlyMap<string, Value>): string =>
  [...candidates].find(([, candidate]) => candidate === dict)![0];

const describe = (candidates: Candidates): string =>
  showSome(
    [...candidates].map(([key, dict]) => `${key === "" ? "the file itself" : brief(key)} (${dict.size} entries)`),
  );

function unknownKey(at: Place, key: string, candidates: Candidates): TensorError {
  return new TensorError({
    code: "invalid-argument",
    message: `${at.reader}: ${at.file}: there is no state dict at the key ${JSON.stringify(key)}; there is ${describe(candidates)}`,
    fix: { code: 'pass one of these as { key }; "" is the file itself' },
  });
}

function noStateDict(at: Place, root: Value): TensorError {
  const keys = isDict(root)
    ? ` with ${showSome([...root.keys()].map((key) => (typeof key === "string" ? key : typeof key)))}`
    : "";
  return unsupportedFile(at, `it holds ${kindOf(root)}${keys}, but no dict of tensors by name`, SAVE_STATE_DICT);
}

function kindOf(value: Value): string {
  if (value instanceof TensorRef) return "one tensor";
  if (value instanceof Unread) return "one tensor";
  if (value instanceof Opaque) return `an object of ${value.path}`;
  if (isDict(value)) return "a dict";
  return Array.isArray(value) ? "a list" : "one value";
}

const LONGEST = 1000;

function scalars(root: Value): Record<string, string> {
  if (!isDict(root)) return {};
  const simple = [...root].flatMap(([key, value]): [string, string][] => {
    const plain = ["number", "boolean", "string", "bigint"].includes(typeof value);
    return typeof key === "string" && plain ? [[key, String(value).slice(0, LONGEST)]] : [];
  });
  return Object.fromEntries(simple);
}
