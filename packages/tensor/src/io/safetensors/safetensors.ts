import { brief, invalidArgument } from "../../plain/errors.js";
import { type HostArray, storedSize } from "../arrays/hostArray.js";
import { gather, loadValues, refuse, type WritableRecord, writableArrays } from "../arrays/writable.js";
import { type Content, plainArray, readContent } from "../content/content.js";
import { guessed } from "../content/otherFile.js";
import { checkLeft, leaveOut, type ReadOptions } from "../content/skipped.js";
import { type PathOrBytes, type Source, withSource } from "../files/source.js";
import { writeWhole } from "../files/writeWhole.js";
import { encodeHeader, type Header, KNOWN_DTYPES, readHeader } from "./header.js";

/**
 * Reads the tensors of a safetensors file by name, as host arrays (safetensors.numpy.load_file). float16 and bfloat16
 * become float32. Tensors of unsupported dtypes (complex, float8) are left out and passed to `onSkipped`.
 *
 * Throws `unreadable-file`, `unsupported-file` (no tensor is left, or the file is of another kind) or `corrupt-file`
 * (the file is truncated, or its header does not fit its data).
 *
 * @example
 * ```ts
 * import { io } from "@fcn/tensor";
 *
 * const file = await io.encodeSafetensors({ bias: { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) } });
 * const { bias } = await io.readSafetensors(file); // or the path of a file
 * console.log(bias?.shape, bias?.data);
 * ```
 */
export async function readSafetensors(
  pathOrBytes: PathOrBytes,
  options: ReadOptions = {},
): Promise<Record<string, HostArray>> {
  return withSource("readSafetensors", pathOrBytes, async (source) =>
    readContent(await openSafetensors(source), options),
  );
}

/** Reads the strings under `__metadata__`, without the tensors. Throws the errors of {@link readSafetensors}. */
export async function readSafetensorsMetadata(pathOrBytes: PathOrBytes): Promise<Readonly<Record<string, string>>> {
  return withSource("readSafetensors", pathOrBytes, async (source) => (await guessedHeader(source)).metadata);
}

const BRACE = 0x7b;

/** Whether a file that starts like this has a header length below 2^40, followed by an object. */
export const isSafetensors = (start: Uint8Array): boolean =>
  start[8] === BRACE && start.subarray(5, 8).every((byte) => byte === 0);

const guessedHeader = (source: Source): Promise<Header> =>
  guessed(source, "a safetensors file", () => readHeader(source));

/** Reads names, shapes and metadata; values are read on demand. */
export async function openSafetensors(source: Source): Promise<Content> {
  const { entries, metadata } = await guessedHeader(source);
  const arrays = entries.flatMap(({ name, dtype, shape, begin, end }) =>
    dtype === undefined ? [] : [plainArray(name, dtype, shape, () => source.read(begin, end))],
  );
  const skipped = entries.flatMap(({ name, dtype, stored }) =>
    dtype === undefined ? [leaveOut(source, name, `has the dtype ${brief(stored)}`, KNOWN_DTYPES)] : [],
  );
  checkLeft(source, arrays, skipped);
  return { arrays, metadata, skipped };
}

export interface WriteSafetensorsOptions {
  /** Strings for `__metadata__`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes tensors and host arrays by name, in row-major order (safetensors.numpy.save_file; Node only). Holds one array
 * at a time on the host. The file appears under its name when it is complete; a failure leaves an earlier file
 * unchanged.
 */
export async function writeSafetensors(
  path: string | URL,
  tensors: WritableRecord,
  { metadata = {} }: WriteSafetensorsOptions = {},
): Promise<void> {
  await writeWhole("writeSafetensors", path, pieces("writeSafetensors", tensors, metadata));
}

/** As {@link writeSafetensors}, but returns the bytes, for use without a file system. */
export async function encodeSafetensors(
  tensors: WritableRecord,
  { metadata = {} }: WriteSafetensorsOptions = {},
): Promise<Uint8Array> {
  return gather(pieces("encodeSafetensors", tensors, metadata));
}

/** The widest values come first, so that every tensor is aligned. */
async function* pieces(
  op: string,
  tensors: WritableRecord,
  metadata: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array> {
  const list = writableArrays(op, tensors);
  if (Object.hasOwn(tensors, "__metadata__")) throw refuse(op, "the name __metadata__ belongs to the format");
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value === "string") continue;
    throw invalidArgument(`${op}: the metadata ${brief(key)} is a ${typeof value}, the format holds strings`, {
      code: `pass a string: { ${brief(key)}: String(value) }, or JSON.stringify(value)`,
    });
  }
  list.sort((a, b) => storedSize(b.value.dtype) - storedSize(a.value.dtype));
  yield encodeHeader(
    list.map(({ name, value: { dtype, shape } }) => ({ name, dtype, shape })),
    metadata,
  );
  for (const { name, value } of list) yield await loadValues(op, name, value);
}
