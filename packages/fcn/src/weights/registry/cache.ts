import { nodeModule, userCaches } from "@fcn/tensor/internal";
import type { WeightsEntry } from "./entry.js";

/** The folder for downloaded weights: FCN_CACHE from the environment, or `fcn/weights` in the user's cache folder. */
export async function cacheFolder(): Promise<string> {
  const { join } = nodeModule("fetchWeights", "node:path");
  return process.env.FCN_CACHE || join(await userCaches(), "fcn", "weights");
}

/** Where weights lie once they are fetched. */
export async function weightsPath({ file }: WeightsEntry): Promise<string> {
  const { join } = nodeModule("fetchWeights", "node:path");
  return join(await cacheFolder(), file);
}
