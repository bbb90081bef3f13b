import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { packageVersion } from "../files/version.js";
import { isRemote } from "../places/address.js";
import { readAddress } from "../places/open.js";
import type { NamedWeights, RunSpec } from "./runs/spec.js";
import * as store from "./runs/store.js";
import { keepTending } from "./runs/tend.js";
import type { Connection } from "./server/connection.js";

/** An address as other machines understand it: paths from the root of the file system. */
export const absolute = (address: string): string => (isRemote(address) ? address : resolve(address));

/** The files of weights with the digests that workers check. */
export const nameWeights = (given: readonly string[]): Promise<NamedWeights[]> =>
  Promise.all(
    given.map(async (file) => {
      const address = absolute(file);
      const hash = createHash("sha256").update(await readAddress(address));
      return { address, sha256: hash.digest("hex") };
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
