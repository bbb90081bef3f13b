import { nodeModule } from "@fcn/tensor/internal";
import { damagedFile } from "../files/errors.js";
import { unreadable } from "../files/files.js";

/** Something that is read in parts: a file, or an object of a place. */
export interface ByteSource {
  /** Its name in messages. */
  readonly name: string;
  /** Its length. */
  readonly bytes: number;
  /** `length` bytes from `offset`, all of which lie in it. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** To be called when no more is read. */
  close(): Promise<void>;
}

/** Opens a file to be read in parts (Node). Throws a TensorError that names it if it cannot be read. */
export async function openFile(path: string): Promise<ByteSource> {
  const { open } = nodeModule(path, "node:fs/promises");
  const failed = async (cause: unknown): Promise<never> => {
    throw await unreadable(path, cause);
  };
  const handle = await open(path, "r").catch(failed);
  const { size } = await handle.stat();
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await handle.read(bytes, done, length - done, offset + done).catch(failed);
      if (bytesRead === 0) throw damagedFile(path, `it ended after ${offset + done} bytes while it was read`);
      done += bytesRead;
    }
    return bytes;
  };
  return { name: path, bytes: size, read, close: () => handle.close() };
}
