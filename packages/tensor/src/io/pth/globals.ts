import { brief, showSome, type TensorError } from "../../plain/errors.js";
import { fileError, type Place } from "../files/errors.js";
import { BadPickle } from "../pickle/cursor.js";
import { SAVE_STATE_DICT } from "../pickle/unpickle.js";
import { Global, Opaque, type PickleHooks, type Value } from "../pickle/values.js";
import { INERT, NEGATED, subclass, UNREAD } from "./harmless.js";
import {
  isNegated,
  rebuildTensor,
  type StorageRef,
  StorageType,
  storageOf,
  TensorRef,
  torchDtypes,
  Unread,
} from "./tensors.js";

/** PyTorch's storage classes, by the dtype they hold. The untyped one counts bytes. */
const STORAGE_DTYPES: Readonly<Record<string, string>> = {
  DoubleStorage: "float64",
  FloatStorage: "float32",
  HalfStorage: "float16",
  BFloat16Storage: "bfloat16",
  LongStorage: "int64",
  IntStorage: "int32",
  ShortStorage: "int16",
  CharStorage: "int8",
  ByteStorage: "uint8",
  BoolStorage: "bool",
  UntypedStorage: "uint8",
  ComplexFloatStorage: "complex64",
  ComplexDoubleStorage: "complex128",
  QInt8Storage: "qint8",
  QUInt8Storage: "quint8",
  QInt32Storage: "qint32",
  QUInt4x2Storage: "quint4x2",
  QUInt2x4Storage: "quint2x4",
};
const STORAGE_MODULES = ["torch", "torch.cuda", "torch.storage"];

/** Modules that have other names in Python 3. */
const RENAMED: Readonly<Record<string, string>> = { __builtin__: "builtins", copy_reg: "copyreg" };

function expectTensor(value: Value): TensorRef | Unread {
  if (value instanceof TensorRef || value instanceof Unread) return value;
  throw new BadPickle("it wraps something that is not a tensor as a parameter");
}

/**
 * collections.OrderedDict(), possibly of a list of pairs, as Python 2 wrote it. Empties the list, to prevent its reuse.
 */
function orderedDict(args: readonly Value[]): Map<Value, Value> {
  const list = args[0];
  if (list === undefined || list instanceof Map) return list ?? new Map();
  if (!Array.isArray(list)) throw new BadPickle("it makes a dict from something that is not a list");
  const dict = new Map<Value, Value>();
  for (const pair of list.splice(0)) {
    if (!Array.isArray(pair) || pair.length !== 2) throw new BadPickle("it makes a dict from items that are not pairs");
    dict.set(pair[0], pair[1]);
  }
  return dict;
}

const plainTensor = (args: readonly Value[], dtype: Value, metadata: Value): Value =>
  isNegated(metadata) ? new Unread(...NEGATED) : rebuildTensor(args, dtype);

const TENSORS: Readonly<Record<string, (args: readonly Value[]) => Value>> = {
  "torch._utils._rebuild_tensor": (args) => rebuildTensor(args),
  "torch._utils._rebuild_tensor_v2": (args) => plainTensor(args, undefined, args[6]),
  "torch._utils._rebuild_tensor_v3": (args) => plainTensor(args, args[6], args[7]),
  "torch._utils._rebuild_parameter": (args) => expectTensor(args[0]),
  "torch._utils._rebuild_parameter_with_state": (args) => expectTensor(args[0]),
  "torch.nn.parameter.Parameter": (args) => expectTensor(args[0]),
  "torch.nn.parameter.Buffer": (args) => expectTensor(args[0]),
  ...Object.fromEntries(Object.entries(UNREAD).map(([path, why]) => [path, () => new Unread(...why)])),
};

/** A class or function that a file may not name. It is a stand-in until the whole pickle is read. */
class Refused extends Global {
  /** Whether it was used for anything except as the class of a tensor. */
  called = false;
  isTensorClass = false;

  constructor(path: string) {
    super(path, (args) => {
      this.called = true;
      return new Opaque(path, args);
    });
  }
}

/**
 * torch._tensor._rebuild_from_type_v2: (function, class, arguments, state). The function must rebuild a plain tensor.
 * The tensor is left out, since we cannot know what the values mean in a foreign class.
 */
function rebuildFromType(args: readonly Value[]): Value {
  const [callee, type, inner] = args;
  if (type instanceof Refused) {
    type.isTensorClass = true;
    return new Unread(...subclass(brief(type.path, 160)));
  }
  const known = callee instanceof Global && Object.hasOwn(TENSORS, callee.path) && Array.isArray(inner);
  if (!known) throw new BadPickle("it rebuilds a tensor with a function that makes something else");
  return callee.call(inner);
}

/** Every global that a file may name, by module.name. */
function allowed(more: readonly string[]): Map<string, Value> {
  const table = new Map<string, Value>();
  const add = (path: string, call: (args: readonly Value[]) => Value) => table.set(path, new Global(path, call));
  const inert = (path: string) => add(path, (args) => new Opaque(path, args));
  for (const path of more) inert(path);
  for (const [module, names] of Object.entries(INERT)) for (const name of names.split(" ")) inert(`${module}.${name}`);
  for (const [path, call] of Object.entries(TENSORS)) add(path, call);
  add("torch._tensor._rebuild_from_type_v2", rebuildFromType);
  for (const path of TEXTS) add(path, ([text]) => (typeof text === "string" ? text : ""));
  for (const name of ["OrderedDict", "Counter"]) add(`collections.${name}`, orderedDict);
  const dtypes = torchDtypes();
  for (const [name, dtype] of dtypes) table.set(`torch.${name}`, dtype);
  for (const [name, dtype] of Object.entries(STORAGE_DTYPES)) {
    for (const module of STORAGE_MODULES) {
      table.set(`${module}.${name}`, new StorageType(`${module}.${name}`, dtypes.get(dtype)!));
    }
  }
  return table;
}

export interface TorchHooks extends PickleHooks {
  /** The storages named so far, by key. */
  readonly storages: ReadonlyMap<string, StorageRef>;
}

/** Classes that are strings with methods. */
const TEXTS = ["torch.torch_version.TorchVersion"];

/**
 * What a file of PyTorch may name, and what it means here. After the pickle is read, everything else is refused by
 * name.
 *
 * @param more further classes, as module.name, that the caller wants to read as inert data
 */
export function torchHooks(at: Place, more: readonly string[]): TorchHooks {
  const table = allowed(more);
  const storages = new Map<string, StorageRef>();
  const unknown = new Map<string, Refused>();
  return {
    storages,
    find: (module, name) => {
      const path = `${Object.hasOwn(RENAMED, module) ? RENAMED[module] : module}.${name}`;
      const found = table.get(path) ?? unknown.get(path);
      if (found !== undefined) return found;
      const refused = new Refused(path);
      unknown.set(path, refused);
      return refused;
    },
    refusal: () => {
      const refused = [...unknown.values()].filter(({ called, isTensorClass }) => called || !isTensorClass);
      return refused.length === 0
        ? undefined
        : refuse(
            at,
            refused.map(({ path }) => path),
          );
    },
    persistent: (id) => {
      const storage = storageOf(id);
      const known = storages.get(storage.key);
      if (known !== undefined && known.byteLength !== storage.byteLength) {
        throw new BadPickle(`it describes storage ${brief(storage.key)} in two ways`);
      }
      storages.set(storage.key, storage);
      return storage;
    },
    takesState: (value) =>
      value instanceof Map || value instanceof TensorRef || value instanceof Unread || typeof value === "string",
  };
}

/** The most names to list in an error. */
const MOST_NAMES = 100;

/** The fix for a file that holds a whole net rather than only its weights. */
const SAVE_OF_WHOLE =
  "it holds a net as an object: save only its weights in PyTorch, where its code is: torch.save(torch.load(path).state_dict(), other_path)";

/** The fix for tensors saved by Python's pickle, whose values are a pickle inside the pickle. */
const SAVE_OF_PICKLED =
  "Python's pickle wrote it, not torch.save: load it there with pickle.load, and write it with torch.save(state_dict, path)";
const LOAD_BYTES = "torch.storage._load_from_bytes";

function refuse(at: Place, paths: readonly string[]): TensorError {
  const names = paths.slice(0, MOST_NAMES).map((path) => brief(path, 160));
  const opaque = names.map((name) => JSON.stringify(name)).join(", ");
  const save = paths.some((path) => path.startsWith("torch.nn.modules.")) ? SAVE_OF_WHOLE : SAVE_STATE_DICT;
  const have = names.length === 1 ? "which has no part" : "which have no part";
  const problem = `its pickle asks for ${showSome(names)}, ${have} in a state dict; nothing was executed`;
  // Read as inert data, these classes would be the tensors themselves.
  if (paths.includes(LOAD_BYTES)) return fileError(at, "unsafe-pickle", problem, SAVE_OF_PICKLED);
  const code = `${save}; or, where the rest of the file does not matter, pass { opaque: [${opaque}] } to read ${names.length === 1 ? "it" : "them"} as inert data`;
  return fileError(at, "unsafe-pickle", problem, { code }, { names, save, file: at.file });
}
