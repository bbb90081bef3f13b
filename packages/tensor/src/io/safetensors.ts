import { brief, TensorError } from "../plain/errors.js";
import { type Content, plainArray, readContent } from "./content.js";
import { type HostArray, storedSize } from "./hostArray.js";
import { guessed } from "./otherFile.js";
import { encodeHeader, type Header, KNOWN_DTYPES, readHeader } from "./safetensorsHeader.js";
import { checkLeft, leaveOut, type ReadOptions } from "./skipped.js";
import { type PathOrBytes, type Source, withSource } from "./source.js";
import { gather, loadValues, refuse, type WritableRecord, writableArrays } from "./writable.js";
import { writeWhole } from "./writeWhole.js";

/**
 * The tensors of a safetensors file by name, as host arrays; float16 and bfloat16 become float32. Those of a dtype that
 * is not read (complex, float8) are left out: `onSkipped` is told.
 *
 * Throws a TensorError: "unreadable-file", "unsupported-file" (no tensor is left, or it is another kind of file), or
 * "corrupt-file" for a file that is truncated or whose header does not fit its data.
 */
export async function readSafetensors(
  pathOrBytes: PathOrBytes,
  options: ReadOptions = {},
): Promise<Record<string, HostArray>> {
  return withSource("readSafetensors", pathOrBytes, async (source) =>
    readContent(await openSafetensors(source), options),
  );
}

/** The strings under `__metadata__`, without reading the tensors. Errors as in {@link readSafetensors}. */
export async function readSafetensorsMetadata(pathOrBytes: PathOrBytes): Promise<Readonly<Record<string, string>>> {
  return withSource("readSafetensors", pathOrBytes, async (source) => (await guessedHeader(source)).metadata);
}

const BRACE = 0x7b;

/** Whether a file that starts so has a length below 2^40 and an object after it. */
export const isSafetensors = (start: Uint8Array): boolean =>
  start.length > 8 && start[8] === BRACE && start.subarray(5, 8).every((byte) => byte === 0);

const guessedHeader = (source: Source): Promise<Header> =>
  guessed(source, "a safetensors file", () => readHeader(source));

/** Names, shapes and metadata; values are read on demand. */
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
 * Writes tensors and host arrays by name (Node). Values are in logical order; one array at a time is held on the host.
 * The file appears under its name when it is complete; a failure leaves what was there before.
 */
export async function writeSafetensors(
  path: string | URL,
  tensors: WritableRecord,
  { metadata = {} }: WriteSafetensorsOptions = {},
): Promise<void> {
  await writeWhole("writeSafetensors", path, pieces("writeSafetensors", tensors, metadata));
}

/** The bytes of a safetensors file, for where there is no file system. */
export async function encodeSafetensors(
  tensors: WritableRecord,
  { metadata = {} }: WriteSafetensorsOptions = {},
): Promise<Uint8Array> {
  return gather(pieces("encodeSafetensors", tensors, metadata));
}

/** Widest values first, so that every tensor is aligned. */
async function* pieces(
  op: string,
  tensors: WritableRecord,
  metadata: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array> {
  const list = writableArrays(op, tensors);
  if (Object.hasOwn(tensors, "__metadata__")) throw refuse(op, "the name __metadata__ belongs to the format");
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value === "string") continue;
    throw new TensorError({
      code: "invalid-argument",
      message: `${op}: the metadata ${brief(key)} is a ${typeof value}, the format holds strings`,
      fix: { code: `pass a string: { ${brief(key)}: String(value) }, or JSON.stringify(value)` },
    });
  }
  list.sort((a, b) => storedSize(b.value.dtype) - storedSize(a.value.dtype));
  yield encodeHeader(
    list.map(({ name, value: { dtype, shape } }) => ({ name, dtype, shape })),
    metadata,
  );
  for (const { name, value } of list) yield await loadValues(op, name, value);
}
