import { fields, join, zip } from "./zip.js";

/** Parts of a pickle of protocol 2, put together by hand: what Python's pickler would not write. */
export type Part = Uint8Array;

const bytes = (...values: number[]): Part => Uint8Array.from(values);
const op = (character: string): Part => bytes(character.charCodeAt(0));
const text = (value: string): Part => new TextEncoder().encode(value);

export const MARK = op("(");
export const REDUCE = op("R");
export const BUILD = op("b");
export const NEWOBJ = bytes(0x81);
export const STACK_GLOBAL = bytes(0x93);
export const NONE = op("N");
export const EMPTY_DICT = op("}");
export const EMPTY_LIST = op("]");
export const EMPTY_TUPLE = op(")");
export const PERSISTENT = op("Q");
export const STOP = op(".");

export const global = (module: string, name: string): Part => text(`c${module}\n${name}\n`);
export const string = (value: string): Part => join(op("X"), fields([[4, text(value).length]]), text(value));
export const int = (value: number): Part =>
  value < 2 ** 31 ? join(op("J"), fields([[4, value]])) : long(BigInt(value));
export const long = (value: bigint): Part => join(bytes(0x8a, 10), fields([[10, value]]));
export const bool = (value: boolean): Part => bytes(value ? 0x88 : 0x89);
export const tuple = (...parts: Part[]): Part => join(MARK, ...parts, op("t"));
export const list = (...parts: Part[]): Part => join(EMPTY_LIST, MARK, ...parts, op("e"));
export const dict = (...pairs: [Part, Part][]): Part => join(EMPTY_DICT, MARK, ...pairs.flat(), op("u"));
export const put = (index: number): Part => join(op("r"), fields([[4, index]]));
export const get = (index: number): Part => join(op("j"), fields([[4, index]]));
export const call = (callee: Part, ...args: Part[]): Part => join(callee, tuple(...args), REDUCE);
export const pickle = (...parts: Part[]): Part => join(bytes(0x80, 2), ...parts, STOP);

export const storage = (key: string, length: number, type = "FloatStorage", module = "torch"): Part =>
  join(tuple(string("storage"), global(module, type), string(key), string("cpu"), int(length)), PERSISTENT);

/** A tensor on a storage, as torch._utils._rebuild_tensor_v2 gets it. */
export const tensor = (on: Part, offset: number, shape: readonly number[], strides: readonly number[]): Part =>
  call(
    global("torch._utils", "_rebuild_tensor_v2"),
    on,
    int(offset),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    bool(false),
    join(global("collections", "OrderedDict"), EMPTY_TUPLE, REDUCE),
  );

/** A zip file of torch.save around a pickle. */
export function torchZip(
  data: Part,
  storages: Record<string, Uint8Array> = {},
  more: Record<string, Uint8Array> = {},
): Uint8Array {
  const files = Object.entries(storages).map(([key, value]) => [`archive/data/${key}`, { data: value }] as const);
  const others = Object.entries(more).map(([name, value]) => [`archive/${name}`, { data: value }] as const);
  return zip([["archive/data.pkl", { data }], ...files, ["archive/version", { data: text("3\n") }], ...others]);
}

/** A file of torch.save before PyTorch 1.6. */
export function torchLegacy(
  data: Part,
  storages: readonly (readonly [key: string, elements: number, bytes: Uint8Array])[] = [],
  little = true,
): Uint8Array {
  const system = pickle(dict([string("protocol_version"), int(1001)], [string("little_endian"), bool(little)]));
  const keys = pickle(list(...storages.map(([key]) => string(key))));
  const runs = storages.map(([, elements, values]) => join(fields([[8, elements]]), values));
  return join(pickle(long(0x1950a86a20f9469cfc6cn)), pickle(int(1001)), system, data, keys, ...runs);
}
