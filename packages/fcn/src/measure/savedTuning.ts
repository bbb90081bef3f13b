import type { DeviceInfo, Tuning } from "@fcn/tensor";
import { isNode, nodeModule } from "@fcn/tensor/internal";

/** Kept beside the tiles: those of another adapter or driver are worth nothing. */
type Adapter = Pick<DeviceInfo, "vendor" | "architecture" | "device" | "description">;

interface TuningFile {
  readonly adapter: Adapter;
  readonly tiles: Tuning;
}

const adapterOf = ({ vendor, architecture, device, description }: DeviceInfo): Adapter => ({
  vendor,
  architecture,
  device,
  description,
});

/**
 * The file of an adapter's tiles: in the folder that the environment's FCN_TUNING names, or in `fcn/tuning` below the
 * user's folder for caches. FCN_TUNING=off stands for none, and browsers have none.
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
 * The tiles that `fcn tune` found on this adapter; undefined where it has not run, or the file does not hold. For
 * `createDevice({ tuning: savedTuning })`; the commands do so by themselves.
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
 * Adds tiles to those of the adapter; returns the file. `tried` are the keys that were measured: what was found for
 * them before goes.
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
  await writeWholeFile(
    "saveTuning",
    file,
    `${JSON.stringify({ adapter: adapterOf(info), tiles } satisfies TuningFile, null, 2)}\n`,
  );
  return file;
}
