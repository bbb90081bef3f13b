import { brief, TensorError } from "../../plain/errors.js";
import { isNode, nodeModule } from "../../plain/node.js";
import type { Place } from "./errors.js";

/** The path of a file (Node only), or its bytes. */
export type PathOrBytes = string | URL | Uint8Array | ArrayBuffer;

/** How messages name a file without a name. */
export const GIVEN_BYTES = "the given bytes";

/** Random access to a file or to bytes. `file` is the path, or "the given bytes". */
export interface Source extends Place {
  readonly size: number;
  /** The bytes [begin, end), in their own buffer. */
  read(begin: number, end: number): Promise<ArrayBuffer>;
}

/** Opens a file, passes it to `use` and closes it. Throws `unreadable-file` if it cannot be read. */
export async function withSource<T>(
  reader: string,
  input: PathOrBytes,
  use: (source: Source) => Promise<T>,
): Promise<T> {
  if (input instanceof Uint8Array) return use(bytesSource(reader, input));
  if (input instanceof ArrayBuffer) return use(bytesSource(reader, new Uint8Array(input)));
  if (typeof input !== "string" && !(input instanceof URL)) throw notAFile(reader, input);
  const file = await openFile(reader, input);
  const state = { open: true };
  try {
    return await use(await fileSource({ reader, file: brief(String(input), 400) }, file, state));
  } finally {
    state.open = false;
    await file.close();
  }
}

function bytesSource(reader: string, bytes: Uint8Array): Source {
  return {
    reader,
    file: GIVEN_BYTES,
    size: bytes.byteLength,
    read: async (begin, end) => new Uint8Array(bytes.subarray(begin, end)).buffer,
  };
}

/** Node reads less than 2 GiB per call. */
const MAX_READ = 2 ** 30;

type FileHandle = Awaited<ReturnType<typeof import("node:fs/promises")["open"]>>;

async function openFile(reader: string, path: string | URL): Promise<FileHandle> {
  const fs = nodeFiles(reader);
  try {
    return await fs.open(path, "r");
  } catch (error) {
    throw unreadable(reader, String(path), error);
  }
}

async function fileSource(at: Place, file: FileHandle, state: { readonly open: boolean }): Promise<Source> {
  const { size } = await file.stat();
  const read = async (begin: number, end: number): Promise<ArrayBuffer> => {
    const bytes = new Uint8Array(end - begin);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(bytes.length - at, MAX_READ), begin + at);
      if (bytesRead === 0) throw new Error("the file became shorter while it was read");
      at += bytesRead;
    }
    return bytes.buffer;
  };
  const guarded: Source["read"] = async (begin, end) => {
    if (!state.open) throw closed(at);
    try {
      return await read(begin, end);
    } catch (error) {
      throw unreadable(at.reader, at.file, error);
    }
  };
  return { ...at, size, read: guarded };
}

function closed(at: Place): TensorError {
  return new TensorError({
    code: "closed-file",
    message: `${at.reader}: ${at.file} is closed: values were asked for after the function that uses it was done`,
    fix: { code: "await all reads inside the function that you give to openWeights" },
  });
}

/** Node's file module. Throws if there is none. */
function nodeFiles(op: string): typeof import("node:fs/promises") {
  if (isNode()) return nodeModule(op, "node:fs/promises");
  throw new TensorError({
    code: "unsupported",
    message: `${op}: a path was given, but this environment has no file system`,
    fix: { code: "pass the bytes: new Uint8Array(await (await fetch(url)).arrayBuffer())" },
  });
}

/** What error codes of Node's file system mean. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist",
  EISDIR: "it is a folder, not a file",
  EACCES: "it may not be read",
};

function unreadable(reader: string, name: string, cause: unknown): TensorError {
  const { code } = (cause ?? {}) as { code?: unknown };
  const message = cause instanceof Error ? cause.message : String(cause);
  const reason = (typeof code === "string" && REASONS[code]) || message;
  const fix = code === "EISDIR" ? "name a file in it" : "check the path and its permissions";
  return new TensorError(
    { code: "unreadable-file", message: `${reader}: cannot read ${name}: ${reason}`, fix },
    { cause },
  );
}

function notAFile(reader: string, input: unknown): TensorError {
  return new TensorError({
    code: "invalid-argument",
    message: `${reader}: got ${input === null ? "null" : typeof input}, but needs a path, a URL, a Uint8Array or an ArrayBuffer`,
    fix: "pass the path of the file or its bytes",
  });
}
