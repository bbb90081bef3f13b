import { describe } from "../../plain/describe.js";
import { brief, invalidArgument, TensorError } from "../../plain/errors.js";
import { isNode, nodeModule } from "../../plain/node.js";
import { fileError, type Place } from "./errors.js";

/** The path of a file (Node only), or its bytes; of a Blob or File, parts are read on demand. */
export type PathOrBytes = string | URL | Uint8Array | ArrayBuffer | Blob;

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
  if (input instanceof Blob) return use(blobSource(reader, input));
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

function blobSource(reader: string, blob: Blob): Source {
  const file = brief((blob as Partial<File>).name || GIVEN_BYTES, 400);
  const read: Source["read"] = async (begin, end) => {
    try {
      return await blob.slice(begin, end).arrayBuffer();
    } catch (error) {
      // The file on the disk was changed or removed after the page got it.
      throw unreadable(reader, file, error);
    }
  };
  return { reader, file, size: blob.size, read };
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
  const read: Source["read"] = async (begin, end) => {
    if (!state.open) {
      const fix = { code: "await all reads inside the function that you give to openWeights" };
      throw fileError(at, "closed-file", "it is closed: values were requested after that function had ended", fix);
    }
    try {
      const bytes = new Uint8Array(end - begin);
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await file.read(bytes, done, Math.min(bytes.length - done, MAX_READ), begin + done);
        if (bytesRead === 0) throw unreadable(at.reader, at.file, "the file became shorter while it was read");
        done += bytesRead;
      }
      return bytes.buffer;
    } catch (error) {
      throw error instanceof TensorError ? error : unreadable(at.reader, at.file, error);
    }
  };
  return { ...at, size, read };
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
  EACCES: "permission to read it is denied",
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

const notAFile = (reader: string, input: unknown): TensorError =>
  invalidArgument(
    `${reader}: got ${describe(input)}, but needs a path, a URL, a Uint8Array, an ArrayBuffer or a Blob`,
    "pass the path of the file or its bytes",
  );
