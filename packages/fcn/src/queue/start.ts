import { createHash } from "node:crypto";
import { packageVersion } from "../files/version.js";
import { splitAddress } from "../places/open.js";
import type { NamedWeights, RunSpec } from "./runs/spec.js";
import * as store from "./runs/store.js";
import { keepTending } from "./runs/tend.js";
import type { Connection } from "./server/connection.js";

/** The files of weights with the digests that workers check. */
export async function nameWeights(addresses: readonly string[]): Promise<NamedWeights[]> {
  return Promise.all(
    addresses.map(async (given) => {
      const { place, name } = await splitAddress(given);
      const hash = createHash("sha256");
      for await (const piece of place.stream(name)) hash.update(piece);
      return { address: place.addressOf(name), sha256: hash.digest("hex") };
    }),
  );
}

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
