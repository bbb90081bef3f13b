import type { DeviceInfo, Tuning } from "@fcn/tensor";
import { isNode, nodeModule } from "@fcn/tensor/internal";

interface TuningFile {
  /** Stored with the tiles, which are worthless for another adapter or driver. */
  readonly adapter: ReturnType<typeof adapterOf>;
  readonly tiles: Tuning;
}

function adapterOf({ vendor, architecture, device, description }: DeviceInfo) {
  return { vendor, architecture, device, description };
}

/**
 * The file for an adapter's tiles (Node): in the folder named by the environment variable FCN_TUNING, or in
 * `fcn/tuning` in the user's cache folder. Undefined if FCN_TUNING=off, and in browsers.
 */
export async function tuningFile(info: DeviceInfo): Promise<string | undefined> {
  if (!isNode()) return undefined;
  const { FCN_TUNING } = process.env;
  if (FCN_TUNING === "off") return undefined;
  const { join } = nodeModule("tuningFile", "node:path");
  const { userCaches } = await import("../files/userCaches.js");
  const name = Object.values(adapterOf(info)).filter(Boolean).join(" ").toLowerCase();
  const plain = name.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "adapter";
  return join(FCN_TUNING || join(await userCaches(), "fcn", "tuning"), `${plain}.json`);
}

/**
 * The tiles that `fcn tune` found on this adapter; undefined if it has not run or the file is not valid. Use it as
 * `createDevice({ tuning: savedTuning })`; the commands do so automatically.
 */
export async function savedTuning(info: DeviceInfo): Promise<Tuning | undefined> {
  const file = await tuningFile(info);
  if (file === undefined) return undefined;
  const { readFile } = nodeModule("savedTuning", "node:fs/promises");
  try {
    const { adapter, tiles } = JSON.parse(await readFile(file, "utf8")) as TuningFile;
    const isOwn = JSON.stringify(adapter) === JSON.stringify(adapterOf(info));
    return isOwn && typeof tiles === "object" ? tiles : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Merges tiles into those saved for the adapter and returns the file. `tried` are the keys that were measured; their
 * earlier results are dropped.
 */
export async function saveTuning(
  info: DeviceInfo,
  found: Tuning,
  tried: Iterable<string>,
): Promise<string | undefined> {
  const file = await tuningFile(info);
  if (file === undefined) return undefined;
  const { dirname } = nodeModule("saveTuning", "node:path");
  const { makeFolder, writeWholeFile } = await import("../files/write.js");
  const measured = new Set(tried);
  const before = Object.entries((await savedTuning(info)) ?? {}).filter(([key]) => !measured.has(key));
  const tiles = Object.fromEntries([...before, ...Object.entries(found)].sort(([a], [b]) => (a < b ? -1 : 1)));
  await makeFolder("saveTuning", dirname(file));
  const saved: TuningFile = { adapter: adapterOf(info), tiles };
  await writeWholeFile("saveTuning", file, `${JSON.stringify(saved, null, 2)}\n`);
  return file;
}
