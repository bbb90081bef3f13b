import { createHash } from "node:crypto";
import type { Place, WriteOptions } from "../../places/place.js";

/** A result as it was written, under its name below the place for results. */
export interface WrittenFile {
  readonly name: string;
  readonly bytes: number;
  /** The digest of its content, in hexadecimal digits. */
  readonly sha256: string;
}

/** Writes a file into a place, and tells its size and digest. Throws what the place and the pieces throw. */
export async function writeWithDigest(
  place: Place,
  name: string,
  content: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options?: WriteOptions,
): Promise<WrittenFile> {
  const hash = createHash("sha256");
  let bytes = 0;
  const count = (piece: Uint8Array): Uint8Array => {
    hash.update(piece);
    bytes += piece.length;
    return piece;
  };
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of content as AsyncIterable<Uint8Array>) yield count(piece);
  };
  await place.write(name, content instanceof Uint8Array ? count(content) : counted(), options);
  return { name, bytes, sha256: hash.digest("hex") };
}
