import { nodeModule, userCaches } from "@fcn/tensor/internal";

/** The folder for downloaded weights: FCN_CACHE from the environment, or `fcn/weights` in the user's cache folder. */
export async function cacheFolder(): Promise<string> {
  const { join } = nodeModule("fetchWeights", "node:path");
  return process.env.FCN_CACHE || join(await userCaches(), "fcn", "weights");
}
