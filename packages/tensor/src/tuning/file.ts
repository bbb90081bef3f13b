import { TUNING_VERSION, type Tuning } from "@fcn/kernels";
import type { DeviceInfo } from "../device/adapter.js";
import { withFileLock } from "../io/files/lock.js";
import { makeFolder } from "../io/files/makeFolder.js";
import { userCaches } from "../io/files/userCaches.js";
import { writeWhole } from "../io/files/writeWhole.js";
import { isNode, nodeModule } from "../plain/node.js";

/** What was measured on an adapter. */
export interface Measured {
  /** The tiles that are faster than those of the rules. */
  readonly tiles: Tuning;
  /** The keys where no tile is. */
  readonly unchanged: readonly string[];
}

interface TuningFile extends Measured {
  readonly version: number;
  /** Stored with the tiles, which are worthless for another adapter or driver. */
  readonly adapter: ReturnType<typeof adapterOf>;
}

const NOTHING: Measured = { tiles: {}, unchanged: [] };

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
  const name = Object.values(adapterOf(info)).filter(Boolean).join(" ").toLowerCase();
  const plain = name.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "adapter";
  return join(FCN_TUNING || join(await userCaches(), "fcn", "tuning"), `${plain}.json`);
}

/**
 * The tiles that `fcn tune` or `createDevice({ tune: "auto" })` found on this adapter; undefined if there are none. Use
 * it as `createDevice({ tuning: savedTuning })`; the commands do so automatically. A file of another version, adapter
 * or driver, and one that is torn or was edited, is passed over with a line on the console.
 */
export async function savedTuning(info: DeviceInfo): Promise<Tuning | undefined> {
  const { tiles } = await readMeasured(info);
  return Object.keys(tiles).length > 0 ? tiles : undefined;
}

/** @internal What the file holds; nothing where it is passed over, of which the console is told. */
export async function readMeasured(info: DeviceInfo): Promise<Measured> {
  const file = await tuningFile(info);
  if (file === undefined) return NOTHING;
  const found = await readFile(file, info);
  if (typeof found !== "string") return found;
  console.warn(`fcn: the tuning file ${file} is passed over: ${found}; remove it, or measure anew with npx fcn tune`);
  return NOTHING;
}

/** What a file holds, or why it is of no use. */
async function readFile(path: string, info: DeviceInfo): Promise<Measured | string> {
  let text: string;
  try {
    text = await nodeModule("savedTuning", "node:fs/promises").readFile(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? NOTHING : message;
  }
  let content: Partial<TuningFile> | null;
  try {
    content = JSON.parse(text);
  } catch {
    return "it is not whole";
  }
  if (content?.version !== TUNING_VERSION) return `it is of version ${content?.version}, not ${TUNING_VERSION}`;
  if (JSON.stringify(content.adapter) !== JSON.stringify(adapterOf(info))) return "it is of another adapter or driver";
  const { tiles, unchanged } = content;
  const areTiles = isRecord(tiles) && Object.values(tiles).every(isTile);
  const areKeys = Array.isArray(unchanged) && unchanged.every((key) => typeof key === "string");
  return areTiles && areKeys ? { tiles, unchanged } : "it was changed by hand, and not all of it can be understood";
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether it has the form of a tile; whether it is one that a plan may take is up to the plan. */
const isTile = (value: unknown): boolean =>
  isRecord(value) &&
  typeof value.variant === "string" &&
  [value.TM, value.SGN, value.TV].every((count) => Number.isSafeInteger(count));

/** Milliseconds between looks at a lock that another process holds, and after how many it is given up. */
const [PAUSE_MS, MOST_PAUSES] = [20, 500];

/**
 * Merges tiles into those saved for the adapter and returns the file. `tried` are the keys that were measured; their
 * earlier results are dropped. Processes that save at once lose nothing of each other.
 */
export async function saveTuning(
  info: DeviceInfo,
  found: Tuning,
  tried: Iterable<string>,
): Promise<string | undefined> {
  const op = "saveTuning";
  const file = await tuningFile(info);
  if (file === undefined) return undefined;
  await makeFolder(op, nodeModule(op, "node:path").dirname(file));
  let pauses = 0;
  const whenHeld = async (): Promise<void> => {
    if (++pauses > MOST_PAUSES) throw new Error(`${op}: another process does not let go of ${file}.lock`);
    await nodeModule(op, "node:timers/promises").setTimeout(PAUSE_MS);
  };
  await withFileLock(op, `${file}.lock`, whenHeld, async () => {
    const before = await readFile(file, info);
    const merged = merge(typeof before === "string" ? NOTHING : before, found, new Set(tried));
    const saved: TuningFile = { version: TUNING_VERSION, adapter: adapterOf(info), ...merged };
    await writeWhole(op, file, [new TextEncoder().encode(`${JSON.stringify(saved, null, 2)}\n`)]);
  });
  return file;
}

function merge(before: Measured, found: Tuning, tried: ReadonlySet<string>): Measured {
  const kept = Object.entries(before.tiles).filter(([key]) => !tried.has(key));
  const tiles = Object.fromEntries([...kept, ...Object.entries(found)].sort(([a], [b]) => (a < b ? -1 : 1)));
  const unchanged = new Set([...before.unchanged, ...tried]);
  return { tiles, unchanged: [...unchanged].filter((key) => !Object.hasOwn(tiles, key)).sort() };
}
