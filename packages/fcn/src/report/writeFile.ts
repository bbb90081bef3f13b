import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { io } from "@fcn/tensor";

/** A whole file, of a text or its pieces or of bytes, as `io.writeWhole` writes it; `op` begins the message of an error. */
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
  await makeWithParents(path).catch((cause: unknown) => {
    throw io.unwritable(op, path, cause);
  });
}

/** Node's own recursive mkdir never ends where a file system refuses new folders by ENOENT, as /proc does. */
async function makeWithParents(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return;
  const parent = dirname(path);
  if (parent !== path) await makeWithParents(parent);
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}
