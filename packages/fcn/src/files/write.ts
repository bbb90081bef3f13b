import { io, TensorError } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";

/**
 * A whole file, of a text or its pieces or of bytes, as `io.writeWhole` writes it; `op` begins the message of an error.
 */
export async function writeWholeFile(
  op: string,
  path: string,
  content: string | Uint8Array | Iterable<string>,
  options: { readonly sync?: boolean } = {},
): Promise<void> {
  await io.writeWhole(op, path, content instanceof Uint8Array ? [content] : encoded(content), options);
}

function* encoded(text: string | Iterable<string>): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (const piece of typeof text === "string" ? [text] : text) yield encoder.encode(piece);
}

/** Makes a folder and those above it. Throws a TensorError: "disk-full" or "unwritable-file". */
export async function makeFolder(op: string, path: string): Promise<void> {
  await makeWithParents(op, path).catch((cause: unknown) => {
    throw io.unwritable(op, path, cause);
  });
}

/** Node's own recursive mkdir never ends where a file system refuses new folders by ENOENT, as /proc does. */
async function makeWithParents(op: string, path: string): Promise<void> {
  const { mkdir, stat } = nodeModule(op, "node:fs/promises");
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return;
  const parent = nodeModule(op, "node:path").dirname(path);
  if (parent !== path) await makeWithParents(op, parent);
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}

/**
 * Throws "same-file" where the file to write is one of those that are read, under whatever name: by a link, or in other
 * letters.
 */
export async function refuseSameFile(op: string, output: string, inputs: Iterable<string>): Promise<void> {
  const { realpath, stat } = nodeModule(op, "node:fs/promises");
  // Numbers of files may have 64 bits, which doubles round.
  const look = (path: string) => stat(path, { bigint: true }).catch(() => undefined);
  const written = await look(output);
  if (written === undefined) return;
  for (const input of inputs) {
    const read = await look(input);
    if (read === undefined) continue;
    // Some file systems do not number their files.
    const isNumbered = read.ino !== 0n && written.ino !== 0n;
    const isSame = isNumbered
      ? read.ino === written.ino && read.dev === written.dev
      : (await realpath(input)) === (await realpath(output));
    if (!isSame) continue;
    throw new TensorError({
      code: "same-file",
      message: `${op}: ${output} is ${output === input ? "the file that is read" : `the same file as ${input}, which is read`}; it would be written over`,
      fix: "name another file to write",
    });
  }
}
