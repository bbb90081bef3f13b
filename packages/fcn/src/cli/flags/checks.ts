import { stat } from "node:fs/promises";
import { isRemote } from "../../places/address.js";
import { UsageError } from "../output/errors.js";

const CHOOSE = "name a new or existing folder";

/** Throws if the name is empty or belongs to something other than a folder. */
export async function checkFolder(option: string, path: string): Promise<void> {
  if (path === "") throw new UsageError(`${option} is ""`, CHOOSE);
  if (isRemote(path))
    throw new UsageError(`${option} ${path} is an address, and a folder of this machine is wanted`, CHOOSE);
  const found = await stat(path).catch(() => undefined);
  if (found && !found.isDirectory()) throw new UsageError(`${option} ${path} is not a folder`, CHOOSE);
}

/** Throws if both flags were given. */
export function refuseBoth(flags: Readonly<Record<string, unknown>>, fix = "give one of them"): void {
  const given = Object.entries(flags).flatMap(([flag, value]) =>
    value === undefined || value === false ? [] : [flag],
  );
  if (given.length > 1) throw new UsageError(`${given.join(" and ")} cannot be used together`, fix);
}
