import { brief } from "../../plain/errors.js";
import { elementCount, isShape, STORED_DTYPES, type StoredDtype, storedSize } from "../arrays/hostArray.js";
import { BadPickle } from "../pickle/cursor.js";
import { Global, type Value } from "../pickle/values.js";

/** A dtype of PyTorch. */
class TorchDtype {
  constructor(
    readonly name: string,
    /** Bytes per element. */
    readonly size: number,
    /** The dtype to read it as; undefined if it is not supported. */
    readonly stored: StoredDtype | undefined,
  ) {}
}

/** Bytes per element of PyTorch's dtypes that are not read. */
const OTHERS: Readonly<Record<string, number>> = {
  complex32: 4,
  complex64: 8,
  complex128: 16,
  qint8: 1,
  quint8: 1,
  qint32: 4,
  quint4x2: 1,
  quint2x4: 1,
  float8_e4m3fn: 1,
  float8_e5m2: 1,
  float8_e4m3fnuz: 1,
  float8_e5m2fnuz: 1,
};

export const torchDtypes = (): ReadonlyMap<string, TorchDtype> =>
  new Map(
    [
      ...STORED_DTYPES.map((name) => new TorchDtype(name, storedSize(name), name)),
      ...Object.entries(OTHERS).map(([name, size]) => new TorchDtype(name, size, undefined)),
    ].map((dtype) => [dtype.name, dtype]),
  );

/** A class of storages, as named by a persistent id. */
export class StorageType extends Global {
  constructor(
    path: string,
    readonly dtype: TorchDtype,
  ) {
    super(path, () => {
      throw new BadPickle(`it makes a ${path} from nothing`);
    });
  }
}

/** A run of numbers elsewhere in the file. */
export class StorageRef {
  constructor(
    readonly key: string,
    readonly dtype: TorchDtype,
    /** Elements. */
    readonly length: number,
    /** Elements of the stored run before this part of it. */
    readonly offset: number,
    /** Elements of the stored run. */
    readonly total: number,
  ) {}

  /** Bytes of the stored run. */
  get byteLength(): number {
    return this.total * this.dtype.size;
  }
}

/** A tensor as the pickle describes it: a shape and strides on a storage. */
export class TensorRef {
  constructor(
    readonly storage: StorageRef,
    readonly dtype: TorchDtype,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
    /** Elements of the storage before the first one. */
    readonly offset: number,
  ) {}
}

/** A tensor whose description is not supported: its values are elsewhere, or must be computed. */
export class Unread {
  constructor(
    /** "is sparse". */
    readonly why: string,
    readonly fix: string,
  ) {}
}

const isCount = (value: Value): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/**
 * The storage for a persistent id: ("storage", class, key, location, elements[, view]). Old files have a view (key,
 * offset, elements) if a storage is part of another one.
 */
export function storageOf(id: Value): StorageRef {
  const [kind, type, key, , length, view] = Array.isArray(id) ? id : [];
  if (kind !== "storage") throw new BadPickle("it refers to something that is not a storage");
  if (!(type instanceof StorageType) || typeof key !== "string" || !isCount(length)) {
    throw new BadPickle("it describes a storage with damaged values");
  }
  if (!Array.isArray(view)) return new StorageRef(key, type.dtype, length, 0, length);
  const [, offset, part] = view;
  if (!isCount(offset) || !isCount(part) || offset + part > length) {
    throw new BadPickle(`it describes a part that storage ${brief(key)} does not have`);
  }
  return new StorageRef(key, type.dtype, part, offset, length);
}

/** torch._utils._rebuild_tensor: (storage, offset, shape, strides, ...). */
export function rebuildTensor(args: readonly Value[], dtype?: Value): TensorRef {
  const [storage, offset, shape, strides] = args;
  const described = storage instanceof StorageRef && isCount(offset) && isShape(shape) && isStrides(strides, shape);
  if (!described) throw new BadPickle("it describes a tensor with damaged values");
  const tensor = new TensorRef(storage, dtype instanceof TorchDtype ? dtype : storage.dtype, shape, strides, offset);
  // Storages of newer dtypes are untyped and count bytes.
  const needed = (offset + extent(shape, strides)) * tensor.dtype.size;
  if (elementCount(shape) > 0 && needed > storage.length * storage.dtype.size) {
    throw new BadPickle(`it describes a tensor of shape [${shape.join(", ")}] that extends beyond its storage`);
  }
  return tensor;
}

/** Whether the metadata of torch._utils._rebuild_tensor_v2 marks a view whose values must be negated on reading. */
export const isNegated = (metadata: Value): boolean => metadata instanceof Map && metadata.get("neg") === true;

function isStrides(value: Value, shape: readonly number[]): value is readonly number[] {
  return Array.isArray(value) && value.length === shape.length && value.every(isCount);
}

/** Elements from the first to the last one, both included; infinite beyond 2^53. */
export function extent(shape: readonly number[], strides: readonly number[]): number {
  if (elementCount(shape) === 0) return 0;
  const last = shape.reduce((total, size, dim) => total + (size - 1) * strides[dim]!, 0);
  return Number.isSafeInteger(last) ? last + 1 : Number.POSITIVE_INFINITY;
}
