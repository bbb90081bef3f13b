import type { Tensor } from "../../core/tensor.js";
import { describe } from "../../plain/describe.js";
import { brief, invalidArgument, show, type TensorError } from "../../plain/errors.js";
import {
  elementCount,
  fitsDtype,
  type HostArray,
  type HostData,
  type HostDtype,
  isHostDtype,
  isShape,
  storedSize,
} from "./hostArray.js";

/** What a writer takes: a host array, or values that are read when it is their turn, of a tensor or an opened file. */
export type WritableArray =
  | HostArray
  | Tensor
  | { readonly dtype: HostDtype; readonly shape: readonly number[]; data(): Promise<HostData> };

/** An array of a dtype that files hold. */
type StoredArray = WritableArray & { readonly dtype: HostDtype };

/** What a writer takes, by name. */
export type WritableRecord = Readonly<Record<string, WritableArray>>;

/** The arrays in the order of the record, checked as far as possible without reading them. */
export function writableArrays(op: string, record: WritableRecord): { name: string; value: StoredArray }[] {
  if (typeof record !== "object" || record === null || record instanceof URL) {
    throw refuse(op, `the arrays are ${describe(record)}, expected tensors or host arrays by name`);
  }
  return Object.entries(record).map(([name, value]) => {
    if (!isHostDtype(value.dtype)) throw refuse(op, `${brief(name)}: its dtype is ${brief(String(value.dtype))}`);
    if (!isShape(value.shape)) throw refuse(op, `${brief(name)}: its shape is not a list of whole sizes`);
    if (typeof value.data !== "function") checkLength(op, name, value as StoredArray, value.data);
    return { name, value: value as StoredArray };
  });
}

/** The values as bytes, in row-major order. */
export async function loadValues(op: string, name: string, value: StoredArray): Promise<Uint8Array> {
  const data = typeof value.data === "function" ? await value.data() : value.data;
  checkLength(op, name, value, data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function checkLength(op: string, name: string, { dtype, shape }: StoredArray, data: HostData): void {
  if (!fitsDtype(dtype, data))
    throw refuse(op, `${brief(name)}: its dtype is ${dtype}, its data a ${data.constructor.name}`);
  const bytes = elementCount(shape) * storedSize(dtype);
  if (data.byteLength === bytes) return;
  const needed = `shape ${show(shape)} of ${dtype} needs ${bytes} bytes`;
  throw refuse(op, `${brief(name)}: ${needed}, its data has ${data.byteLength}`);
}

export const refuse = (op: string, problem: string): TensorError =>
  invalidArgument(`${op}: ${problem}`, {
    code: "correct the entry: each is a float32 or int32 tensor or { dtype, shape, data }",
  });

export async function gather(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: BlobPart[] = [];
  for await (const piece of pieces) parts.push(piece as Uint8Array<ArrayBuffer>);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
