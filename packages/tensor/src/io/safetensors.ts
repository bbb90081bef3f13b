import { TensorError } from "../device/errors.js";
import type { Tensor } from "../tensor.js";
import { decodeHostArray, elementCount, type HostArray, type HostDtype, storedSize } from "./hostArray.js";
import { encodeHeader, readHeader } from "./safetensorsHeader.js";
import { type PathOrBytes, withSource } from "./source.js";
import { writeWhole } from "./writeWhole.js";

/**
 * The tensors of a safetensors file by name, as host arrays; float16 and bfloat16 become float32.
 *
 * Throws a TensorError: "unreadable-file", "unsupported-file" (an unknown dtype), or "corrupt-file" for a file that is
 * truncated or whose header does not fit its data.
 */
export async function readSafetensors(pathOrBytes: PathOrBytes): Promise<Record<string, HostArray>> {
  return withSource("readSafetensors", pathOrBytes, async (source) => {
    const { entries } = await readHeader(source);
    const arrays: [string, HostArray][] = [];
    for (const { name, dtype, shape, begin, end } of entries) {
      arrays.push([name, decodeHostArray(dtype, shape, await source.read(begin, end))]);
    }
    return Object.fromEntries(arrays);
  });
}

/** The strings under `__metadata__`, without reading the tensors. Errors as in {@link readSafetensors}. */
export async function readSafetensorsMetadata(pathOrBytes: PathOrBytes): Promise<Readonly<Record<string, string>>> {
  return withSource("readSafetensors", pathOrBytes, async (source) => (await readHeader(source)).metadata);
}

export interface WriteSafetensorsOptions {
  /** Strings for `__metadata__`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

type Writable = Readonly<Record<string, Tensor | HostArray>>;

/**
 * Writes tensors and host arrays by name (Node). Values are in logical order. The file appears under its name when it is
 * complete; a failure leaves what was there before.
 */
export async function writeSafetensors(
  path: string | URL,
  tensors: Writable,
  { metadata = {} }: WriteSafetensorsOptions = {},
): Promise<void> {
  await writeWhole("writeSafetensors", path, pieces(tensors, metadata));
}

/** The bytes of a safetensors file, for where there is no file system. */
export async function encodeSafetensors(
  tensors: Writable,
  { metadata = {} }: WriteSafetensorsOptions = {},
): Promise<Uint8Array> {
  const parts: BlobPart[] = [];
  for await (const piece of pieces(tensors, metadata)) parts.push(piece as Uint8Array<ArrayBuffer>);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** Widest values first, so that every tensor is aligned; one tensor at a time is held on the host. */
async function* pieces(tensors: Writable, metadata: Readonly<Record<string, string>>): AsyncGenerator<Uint8Array> {
  const list = Object.entries(tensors).map(([name, value]) => {
    checkWritable(name, value);
    return { name, value, dtype: value.dtype as HostDtype, shape: value.shape };
  });
  list.sort((a, b) => storedSize(b.dtype) - storedSize(a.dtype));
  yield encodeHeader(list, metadata);
  for (const { value } of list) {
    const data = typeof value.data === "function" ? await value.data() : value.data;
    yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
}

function checkWritable(name: string, value: Tensor | HostArray): void {
  if (name === "__metadata__") throw refuse("the name __metadata__ belongs to the format");
  if (typeof value.data === "function") return;
  const bytes = elementCount(value.shape) * storedSize(value.dtype);
  if (value.data.byteLength === bytes) return;
  throw refuse(
    `${name}: shape [${value.shape.join(", ")}] of ${value.dtype} needs ${bytes} bytes, its data has ${value.data.byteLength}`,
  );
}

function refuse(problem: string): TensorError {
  return new TensorError({
    code: "invalid-argument",
    message: `writeSafetensors: ${problem}`,
    fix: "correct the entry: each is a tensor or { dtype, shape, data }",
  });
}
