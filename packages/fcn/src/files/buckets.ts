import { nodeModule } from "@fcn/tensor/internal";

/** Whether a path is the address of an object of a bucket, or of all that have such a prefix. */
export const isBucket = (path: string): boolean => /^s3:\/\//i.test(path);

/**
 * What reads and writes files that lie elsewhere (Node), loaded when it is wanted. Bundles for browsers have nothing of
 * it, by `browser` in package.json. `op` starts the message of an error.
 */
export async function openPlaces(op: string) {
  nodeModule(op, "node:fs");
  return import("../places/open.js");
}
