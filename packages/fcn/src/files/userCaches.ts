import { nodeModule } from "@fcn/tensor/internal";

/** Where the user's caches lie, by platform; the rest of Unix follows the XDG specification. */
const CACHES: Partial<Readonly<Record<string, (home: string) => string | undefined>>> = {
  win32: () => process.env.LOCALAPPDATA,
  darwin: (home) => `${home}/Library/Caches`,
};

/** The user's folder for caches: XDG_CACHE_HOME, or the platform's (~/.cache on Linux) (Node). */
export async function userCaches(): Promise<string> {
  const { homedir } = nodeModule("userCaches", "node:os");
  const { join } = nodeModule("userCaches", "node:path");
  return process.env.XDG_CACHE_HOME || CACHES[process.platform]?.(homedir()) || join(homedir(), ".cache");
}
