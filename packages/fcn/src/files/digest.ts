import { nodeModule } from "@fcn/tensor/internal";

/** The hexadecimal digest of bytes in memory (Node). `algorithm` is as for {@link fileDigest}. */
export const bytesDigest = (bytes: Uint8Array, algorithm: string): string =>
  nodeModule("bytesDigest", "node:crypto").createHash(algorithm).update(bytes).digest("hex");

/**
 * The hexadecimal digest of a file, given by its path or as a Blob (Node). `algorithm` is a name known to Node's
 * crypto, such as sha256.
 */
export async function fileDigest(file: string | Blob, algorithm: string): Promise<string> {
  const { createHash } = nodeModule("fileDigest", "node:crypto");
  const { createReadStream } = nodeModule("fileDigest", "node:fs");
  const hash = createHash(algorithm);
  for await (const chunk of typeof file === "string" ? createReadStream(file) : file.stream())
    hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}
