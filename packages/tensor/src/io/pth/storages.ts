import { brief } from "../../plain/errors.js";
import { copyStrided, rowMajorStrides } from "../arrays/dense.js";
import { decodeHostArray, elementCount, type StoredDtype, storedSize } from "../arrays/hostArray.js";
import type { ContentArray } from "../content/content.js";
import { type LeftOut, leaveOut } from "../content/skipped.js";
import { checkExpansion, corruptFile, type Place } from "../files/errors.js";
import { extent, type TensorRef } from "./tensors.js";

/** The bytes of a storage in the file. */
export interface StorageBytes {
  readonly size: number;
  /** Whether everything before a part must be decompressed to read it. */
  readonly compressed: boolean;
  read(begin: number, end: number): Promise<ArrayBuffer>;
  /** Rejects if the bytes do not match their checksum. */
  check?(): Promise<unknown>;
}

/** A tensor whose position in its storage is known and checked, in bytes. */
interface StorageView {
  readonly name: string;
  readonly dtype: StoredDtype;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly storage: StorageBytes;
  readonly begin: number;
  readonly end: number;
}

/** Views that share bytes, whose union is read once. */
interface SharedBytes {
  readonly begin: number;
  end: number;
  readonly views: StorageView[];
  /** Views that were not read yet while the bytes are held. */
  unread: Set<StorageView>;
}

export interface TensorArrays {
  readonly arrays: ContentArray[];
  readonly skipped: LeftOut[];
  verify(names: readonly string[]): Promise<void>;
}

/**
 * The tensors as arrays of a file. Only the parts of a storage that its tensors need are read. Shared numbers are read
 * once if the tensors that share them are read in turn. Tensors of unsupported dtypes are left out. Throws if a tensor
 * extends beyond its storage.
 */
export function tensorArrays(
  at: Place,
  tensors: ReadonlyMap<string, TensorRef>,
  storages: ReadonlyMap<string, StorageBytes>,
  fileSize: number,
): TensorArrays {
  const views: StorageView[] = [];
  const skipped: LeftOut[] = [];
  for (const [name, tensor] of tensors) {
    const { stored } = tensor.dtype;
    const { key } = tensor.storage;
    const storage = storages.get(key);
    if (storage === undefined) {
      throw corruptFile(at, `tensor ${brief(name)} lies in storage ${brief(key)}, which is missing`);
    }
    if (stored !== undefined) views.push(viewOf(at, name, { ...tensor, stored }, storage));
    else skipped.push(leaveOut(at, name, `has the dtype ${brief(tensor.dtype.name)}`, REAL));
  }
  const claimed = views.reduce((total, view) => total + denseBytes(view), 0);
  checkExpansion(at, claimed, fileSize);
  const shared = sharedBytes(views);
  const held = new HeldBytes();
  const arrays = views.map((view) => ({
    name: view.name,
    stored: view.dtype,
    shape: view.shape,
    read: async () => decodeHostArray(view.dtype, view.shape, await readView(view, shared.get(view), held)),
  }));
  const verify = async (names: readonly string[]): Promise<void> => {
    const wanted = new Set(names);
    const storages = new Set(views.filter(({ name }) => wanted.has(name)).map(({ storage }) => storage));
    for (const storage of storages) await storage.check?.();
  };
  return { arrays, skipped, verify };
}

const REAL = "save it as one of PyTorch's real or integer types, for example tensor.float()";

type Readable = Omit<TensorRef, "dtype"> & { readonly stored: StoredDtype };

function viewOf(at: Place, name: string, tensor: Readable, storage: StorageBytes): StorageView {
  const { stored: dtype } = tensor;
  const itemSize = storedSize(dtype);
  const begin = tensor.storage.offset * tensor.storage.dtype.size + tensor.offset * itemSize;
  const end = begin + extent(tensor.shape, tensor.strides) * itemSize;
  if (elementCount(tensor.shape) > 0 && end > storage.size) {
    throw corruptFile(at, `tensor ${brief(name)} ends at byte ${end} of its storage, which has ${storage.size}`);
  }
  return { name, dtype, shape: tensor.shape, strides: tensor.strides, storage, begin, end };
}

/**
 * The bytes that several views read together: views that share bytes, if their union is no larger than their sum, and
 * all views of a compressed storage. Other views are read one by one.
 */
function sharedBytes(views: readonly StorageView[]): Map<StorageView, SharedBytes> {
  const all: SharedBytes[] = [];
  const open = new Map<StorageBytes, SharedBytes>();
  const full = views.filter(({ begin, end }) => begin < end);
  for (const view of full.sort((a, b) => a.begin - b.begin)) {
    const last = open.get(view.storage);
    const whole = view.storage.compressed ? { begin: 0, end: view.storage.size } : view;
    if (last !== undefined && whole.begin < last.end) {
      last.end = Math.max(last.end, whole.end);
      last.views.push(view);
      continue;
    }
    const bytes = { begin: whole.begin, end: whole.end, views: [view], unread: new Set<StorageView>() };
    open.set(view.storage, bytes);
    all.push(bytes);
  }
  const shared = all.filter(({ begin, end, views: [first, ...others] }) => {
    const needed = [first!, ...others].reduce((total, view) => total + denseBytes(view), 0);
    return first!.storage.compressed || (others.length > 0 && end - begin <= needed);
  });
  return new Map(shared.flatMap((bytes) => bytes.views.map((view) => [view, bytes] as const)));
}

const denseBytes = ({ shape, dtype }: StorageView): number => elementCount(shape) * storedSize(dtype);

/** Shared bytes, held until all their views are read or others replace them. */
class HeldBytes {
  #held: { readonly shared: SharedBytes; readonly bytes: Promise<ArrayBuffer> } | undefined;

  async bytes(shared: SharedBytes, view: StorageView): Promise<ArrayBuffer> {
    let held = this.#held;
    if (held?.shared !== shared) {
      held = { shared, bytes: view.storage.read(shared.begin, shared.end) };
      this.#held = held;
      shared.unread = new Set(shared.views);
    }
    shared.unread.delete(view);
    if (shared.unread.size === 0) this.#held = undefined;
    return held.bytes;
  }
}

/** The largest piece of a storage to read at once for a tensor that is not dense in it. */
const PIECE = 2 ** 24;

/** The values of a view, dense and in row-major order, in their own buffer. */
async function readView(view: StorageView, shared: SharedBytes | undefined, held: HeldBytes): Promise<ArrayBuffer> {
  const { storage, begin, end } = view;
  if (begin === end) return new ArrayBuffer(0);
  const bytes = shared && (await held.bytes(shared, view));
  const base = shared?.begin ?? 0;
  const read: StorageBytes["read"] = async (from, to) => bytes?.slice(from - base, to - base) ?? storage.read(from, to);
  return isDense(view) ? read(begin, end) : gatherView(view, read);
}

/** Whether the elements are in row-major order without gaps. The stride of a dimension of size 1 does not matter. */
function isDense({ shape, strides }: StorageView): boolean {
  const dense = rowMajorStrides(shape);
  return shape.every((size, dim) => size === 1 || strides[dim] === dense[dim]);
}

/** Copies block by block. A block whose elements span more than one piece is halved along its widest dimension. */
async function gatherView(view: StorageView, read: StorageBytes["read"]): Promise<ArrayBuffer> {
  const { strides } = view;
  const itemSize = storedSize(view.dtype);
  const out = { bytes: new ArrayBuffer(denseBytes(view)), strides: rowMajorStrides(view.shape) };
  const copy = async (shape: readonly number[], at: number, outAt: number): Promise<void> => {
    const span = extent(shape, strides);
    if (span * itemSize > PIECE) {
      const spans = shape.map((size, dim) => (size - 1) * strides[dim]!);
      const dim = spans.indexOf(Math.max(...spans));
      const half = Math.floor(shape[dim]! / 2);
      const part = (size: number) => shape.map((full, d) => (d === dim ? size : full));
      await copy(part(half), at, outAt);
      await copy(part(shape[dim]! - half), at + half * strides[dim]!, outAt + half * out.strides[dim]!);
      return;
    }
    const begin = view.begin + at * itemSize;
    const bytes = await read(begin, begin + span * itemSize);
    copyStrided(shape, itemSize, { bytes, offset: 0, strides }, { ...out, offset: outAt });
  };
  await copy(view.shape, 0, 0);
  return out.bytes;
}
