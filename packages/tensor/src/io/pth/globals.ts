import { brief, TensorError } from "../../errors.js";
import type { Place } from "../errors.js";
import { BadPickle } from "../pickle/cursor.js";
import { SAVE_STATE_DICT } from "../pickle/unpickle.js";
import { Global, Opaque, type PickleHooks, type Value } from "../pickle/values.js";
import {
  isNegated,
  rebuildTensor,
  type StorageRef,
  StorageType,
  storageOf,
  TensorRef,
  torchDtypes,
} from "./tensors.js";

/** PyTorch's storage classes by the dtype they hold. The untyped one counts bytes. */
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

/** Classes and functions that are read as inert data: what training scripts put beside the weights. */
const INERT: Readonly<Record<string, string>> = {
  argparse: "Namespace",
  builtins: "set frozenset list dict tuple int float bool str bytes bytearray complex slice range object",
  collections: "defaultdict deque",
  copyreg: "_reconstructor",
  datetime: "date datetime time timedelta timezone",
  decimal: "Decimal",
  fractions: "Fraction",
  _codecs: "encode",
  numpy: "dtype ndarray float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool_",
  "numpy.core.multiarray": "scalar _reconstruct",
  "numpy._core.multiarray": "scalar _reconstruct",
  pathlib: "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath",
  "pathlib._local": "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath",
  uuid: "UUID",
  torch:
    "Size device Tensor FloatTensor DoubleTensor HalfTensor BFloat16Tensor LongTensor IntTensor ShortTensor CharTensor " +
    "ByteTensor BoolTensor strided sparse_coo per_tensor_affine per_channel_affine",
  "torch.serialization": "_get_layout",
  "torch._utils":
    "_rebuild_qtensor _rebuild_sparse_tensor _rebuild_sparse_csr_tensor _rebuild_meta_tensor_no_storage " +
    "_rebuild_device_tensor_from_numpy _rebuild_device_tensor_from_cpu_tensor",
};

/** Modules that Python 3 calls otherwise. */
const RENAMED: Readonly<Record<string, string>> = { __builtin__: "builtins", copy_reg: "copyreg" };

function expectTensor(value: Value): TensorRef {
  if (value instanceof TensorRef) return value;
  throw new BadPickle("it wraps something that is no tensor as a parameter");
}

/** collections.OrderedDict(), and of a list of pairs as Python 2 wrote it. A list is used up, so that it cannot be used again. */
function orderedDict(args: readonly Value[]): Map<Value, Value> {
  const list = args[0];
  if (list === undefined || list instanceof Map) return list ?? new Map();
  if (!Array.isArray(list)) throw new BadPickle("it makes a dict from what is no list");
  const dict = new Map<Value, Value>();
  for (const pair of list.splice(0)) {
    if (!Array.isArray(pair) || pair.length !== 2) throw new BadPickle("it makes a dict from what are no pairs");
    dict.set(pair[0], pair[1]);
  }
  return dict;
}

const plainTensor = (args: readonly Value[], dtype: Value, metadata: Value): Value =>
  isNegated(metadata) ? new Opaque("torch._utils._neg_view", args) : rebuildTensor(args, dtype);

const TENSORS: Readonly<Record<string, (args: readonly Value[]) => Value>> = {
  "torch._utils._rebuild_tensor": (args) => rebuildTensor(args),
  "torch._utils._rebuild_tensor_v2": (args) => plainTensor(args, undefined, args[6]),
  "torch._utils._rebuild_tensor_v3": (args) => plainTensor(args, args[6], args[7]),
  "torch._utils._rebuild_parameter": (args) => expectTensor(args[0]),
  "torch._utils._rebuild_parameter_with_state": (args) => expectTensor(args[0]),
  "torch.nn.parameter.Parameter": (args) => expectTensor(args[0]),
};

/** torch._tensor._rebuild_from_type_v2: (function, class, arguments, state). The function must rebuild a plain tensor. */
function rebuildFromType(args: readonly Value[]): Value {
  const [callee, , inner] = args;
  const known = callee instanceof Global && Object.hasOwn(TENSORS, callee.path) && Array.isArray(inner);
  if (!known) throw new BadPickle("it rebuilds a tensor by a function that makes none");
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
  /** The storages that were named so far, by key. */
  readonly storages: ReadonlyMap<string, StorageRef>;
}

/**
 * What a file of PyTorch may name, and what it means here; all else is refused by name.
 *
 * @param more further classes, as module.name, that the caller wants read as inert data
 */
export function torchHooks(at: Place, more: readonly string[]): TorchHooks {
  const table = allowed(more);
  const storages = new Map<string, StorageRef>();
  return {
    storages,
    find: (module, name) => {
      const path = `${Object.hasOwn(RENAMED, module) ? RENAMED[module] : module}.${name}`;
      const found = table.get(path);
      if (found === undefined) throw refused(at, path);
      return found;
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
    takesState: (value) => value instanceof Map || value instanceof TensorRef,
  };
}

function refused(at: Place, path: string): TensorError {
  const shown = brief(path, 160);
  return new TensorError({
    code: "unsafe-pickle",
    message: `${at.reader}: ${at.file}: its pickle asks for ${shown}, which has no part in a state dict; nothing was executed`,
    fix: `${SAVE_STATE_DICT}; or, where the rest of the file does not matter, pass { opaque: [${JSON.stringify(shown)}] } to read it as inert data`,
  });
}
