/** Where the user's caches lie, by platform; the rest of Unix follows the XDG specification. */
const CACHES: Partial<Readonly<Record<string, (home: string) => string | undefined>>> = {
  win32: () => process.env.LOCALAPPDATA,
  darwin: (home) => `${home}/Library/Caches`,
};

/**
 * The folder for downloaded weights: the environment's FCN_CACHE, or `fcn/weights` below XDG_CACHE_HOME or the platform's folder for caches
 * (~/.cache on Linux).
 */
export async function cacheFolder(): Promise<string> {
  const { homedir } = await import("node:os");
  const { join } = await import("node:path");
  const { FCN_CACHE, XDG_CACHE_HOME } = process.env;
  if (FCN_CACHE) return FCN_CACHE;
  const caches = XDG_CACHE_HOME || CACHES[process.platform]?.(homedir()) || join(homedir(), ".cache");
  return join(caches, "fcn", "weights");
}
