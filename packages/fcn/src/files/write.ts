import { io, TensorError } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";

export { makeFolder } from "@fcn/tensor/internal";

/**
 * Writes a whole file of text, pieces of text, or bytes, as `io.writeWhole` does; `op` starts the message of an error.
 */
export async function writeWholeFile(
  op: string,
  path: string,
  content: string | Uint8Array | Iterable<string>,
  options: { readonly sync?: boolean } = {},
): Promise<void> {
  await io.writeWhole(op, path, content instanceof Uint8Array ? [content] : encoded(content), options);
}

/** Text in UTF-8, piece by piece. */
export function* encoded(text: string | Iterable<string>): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (const piece of typeof text === "string" ? [text] : text) yield encoder.encode(piece);
}

/**
 * Throws `same-file` if the output is one of the inputs, even under another name, such as a link or other letter case.
 */
export async function refuseSameFile(op: string, output: string, inputs: Iterable<string>): Promise<void> {
  const { realpath, stat } = nodeModule(op, "node:fs/promises");
  // File numbers may have 64 bits, which doubles would round.
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
      message: `${op}: ${output} is ${output === input ? "the file that is read" : `the same file as ${input}, which is read`}; it would be overwritten`,
      fix: "name another file to write",
    });
  }
}
