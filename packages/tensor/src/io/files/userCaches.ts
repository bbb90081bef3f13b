import { nodeModule } from "../../plain/node.js";

/** The user's cache folder by platform; all other Unix systems follow the XDG specification. */
const CACHES: Partial<Readonly<Record<string, (home: string) => string | undefined>>> = {
  win32: () => process.env.LOCALAPPDATA,
  darwin: (home) => `${home}/Library/Caches`,
};

/** The user's cache folder (Node): XDG_CACHE_HOME, or the platform's default (~/.cache on Linux). */
export async function userCaches(): Promise<string> {
  const { homedir } = nodeModule("userCaches", "node:os");
  const { join } = nodeModule("userCaches", "node:path");
  return process.env.XDG_CACHE_HOME || CACHES[process.platform]?.(homedir()) || join(homedir(), ".cache");
}
