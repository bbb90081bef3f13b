import { concatBytes } from "../../encoding/bytes.js";

/**
 * Decompresses a zlib stream that lies in pieces. Fails as soon as the output exceeds `limit` bytes, so that a small
 * file cannot exhaust the memory. Throws a plain Error for damaged data, because only the caller knows the file.
 */
export async function inflate(pieces: readonly Uint8Array[], limit: number): Promise<Uint8Array> {
  const stream = new Blob(pieces as Uint8Array<ArrayBuffer>[]).stream().pipeThrough(new DecompressionStream("deflate"));
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value);
    length += next.value.length;
    if (length <= limit) continue;
    await reader.cancel();
    throw new Error(`it unpacks to more than the ${limit} bytes that it announces`);
  }
  return concatBytes(chunks);
}
