import { nodeModule } from "@fcn/tensor/internal";
import { userCaches } from "../../files/userCaches.js";

/**
 * The folder for downloaded weights: the environment's FCN_CACHE, or `fcn/weights` below the user's folder for caches.
 */
export async function cacheFolder(): Promise<string> {
  const { join } = nodeModule("fetchWeights", "node:path");
  return process.env.FCN_CACHE || join(await userCaches(), "fcn", "weights");
}
