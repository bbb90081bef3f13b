import { brief, showSome, type TensorError } from "../../plain/errors.js";
import { fileError, type Place, unsupportedFile } from "../files/errors.js";
import { SAVE_STATE_DICT } from "../pickle/unpickle.js";
import { Opaque, type Value } from "../pickle/values.js";
import { TensorRef, Unread } from "./tensors.js";

export interface Checkpoint {
  readonly tensors: ReadonlyMap<string, TensorRef | Unread>;
  /** Names in the state dict whose values are not tensors. */
  readonly ignored: readonly string[];
  /** Where the state dict was found; undefined if it is the whole file. */
  readonly key: string | undefined;
  /** Numbers, strings and booleans next to the state dict, such as the epoch. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Usual names for the state dict of the net in checkpoints, the most specific first. */
const USUAL = ["model_state_dict", "state_dict", "model", "net", "network", "module", "weights", "params"];

/** How deep to search nested dicts and lists without tensors, such as {"checkpoint": {"model": ...}}. */
const DEPTH = 3;

type Dict = ReadonlyMap<Value, Value>;
type Candidates = ReadonlyMap<string, ReadonlyMap<string, Value>>;
type Holder = Dict | readonly Value[];

const isDict = (value: Value): value is Dict => value instanceof Map;
const hasOf = (dict: Dict, kind: typeof TensorRef | typeof Unread): boolean =>
  [...dict.keys()].every((key) => typeof key === "string") && [...dict.values()].some((item) => item instanceof kind);

/**
 * Finds the state dict in what torch.save wrote: all of it, or one of its values. Throws if there is none, or if there
 * are several and none has a usual name.
 *
 * @param key where it is, if the caller knows: "" for the whole, or keys joined by dots
 */
export function findStateDict(at: Place, root: Value, key?: string): Checkpoint {
  const readable = findCandidates(root, TensorRef);
  const candidates = readable.size > 0 ? readable : findCandidates(root, Unread);
  if (candidates.size === 0) throw noStateDict(at, root);
  const found = key ?? usualKey(at, candidates);
  const dict = candidates.get(found);
  if (dict === undefined) throw unknownKey(at, found, candidates);
  const tensors = new Map<string, TensorRef | Unread>();
  const ignored: string[] = [];
  for (const [name, value] of dict) {
    if (value instanceof TensorRef || value instanceof Unread) tensors.set(name, value);
    else ignored.push(name);
  }
  return found === ""
    ? { tensors, ignored, key: undefined, metadata: {} }
    : { tensors, ignored, key: found, metadata: scalars(root) };
}

/** The items of a dict by key, or of a list by index. */
function itemsOf(holder: Holder): [key: string, value: Value][] {
  if (!isDict(holder)) return holder.map((value, i) => [String(i), value]);
  return [...holder].flatMap(([key, value]) => (typeof key === "string" ? [[key, value]] : []));
}

/**
 * The dicts with tensors, by their keys, at the first level that has any; the key of the whole file is "". A pickle can
 * refer to the same dict or list many times, so each is searched only once.
 */
function findCandidates(root: Value, kind: typeof TensorRef | typeof Unread): Candidates {
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

function usualKey(at: Place, candidates: Candidates): string {
  const [only, ...others] = candidates.keys();
  const usual = others.length === 0 ? only : USUAL.find((name) => candidates.has(name));
  if (usual !== undefined) return usual;
  const keys = [...candidates.keys()].map((name) => brief(name));
  const fix = { code: `choose one: pass { key: ${JSON.stringify(keys.at(-1))} }, for example` };
  const problem = `it holds several state dicts: ${describe(candidates)}`;
  throw fileError(at, "ambiguous-checkpoint", problem, fix, { keys, file: at.file });
}

const describe = (candidates: Candidates): string =>
  showSome(
    [...candidates].map(([key, dict]) => `${key === "" ? "the file itself" : brief(key)} (${dict.size} entries)`),
  );

function unknownKey(at: Place, key: string, candidates: Candidates): TensorError {
  const problem = `there is no state dict at the key ${JSON.stringify(key)}; there is ${describe(candidates)}`;
  return fileError(at, "invalid-argument", problem, { code: 'pass one of these as { key }; "" is the file itself' });
}

function noStateDict(at: Place, root: Value): TensorError {
  const keys = isDict(root)
    ? ` with ${showSome([...root.keys()].map((key) => (typeof key === "string" ? key : typeof key)))}`
    : "";
  return unsupportedFile(at, `it holds ${kindOf(root)}${keys}, but no dict of tensors by name`, SAVE_STATE_DICT);
}

function kindOf(value: Value): string {
  if (value instanceof TensorRef || value instanceof Unread) return "one tensor";
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
