import { resolve } from "node:path";
import { foldersIn, type OpenOptions } from "../data/open/openOptions.js";
import { bytesDigest } from "../files/digest.js";
import { packageVersion } from "../files/version.js";
import { readMetadata } from "../models/file/weightsFile.js";
import { isRemote } from "../places/address.js";
import { readAddress } from "../places/open.js";
import type { NamedWeights, RunSpec } from "./runs/spec.js";
import * as store from "./runs/store.js";
import { keepTending } from "./runs/tend.js";
import type { Connection } from "./server/connection.js";

/** An address as other machines understand it: paths from the root of the file system. */
export const absolute = (address: string): string => (isRemote(address) ? address : resolve(address));

/** Options with the folders in them as other machines understand them. */
export const absoluteFolders = <Options extends OpenOptions>(options: Options): Options => ({
  ...options,
  ...Object.fromEntries(foldersIn(options).map(([name, folder]) => [name, absolute(folder)])),
});

/**
 * The files of weights with the digests that workers check. Throws as `loadModel` for a file that describes no net.
 *
 * @param send puts a file where workers find it, and returns its address there; by default they find it where it is
 */
export const nameWeights = (
  given: readonly string[],
  send: (file: string, index: number, bytes: Uint8Array) => Promise<string> = async (file) => absolute(file),
): Promise<NamedWeights[]> =>
  Promise.all(
    given.map(async (file, i) => {
      const bytes = (await readAddress(absolute(file))) as Uint8Array<ArrayBuffer>;
      await readMetadata(new File([bytes], file));
      const sha256 = bytesDigest(bytes, "sha256");
      return { address: await send(file, i, bytes), sha256 };
    }),
  );

/** Makes a run and has it tended. */
export async function startRun(
  connection: Connection,
  id: string,
  given: Omit<RunSpec, "version" | "created">,
  total: number,
): Promise<void> {
  const spec: RunSpec = { ...given, version: await packageVersion(), created: Date.now() };
  await store.createRun(connection, id, spec, total);
  await keepTending(connection, id);
}
