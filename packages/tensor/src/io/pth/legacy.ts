import { brief } from "../../plain/errors.js";
import type { Content } from "../content/content.js";
import { corruptFile, unsupportedFile } from "../files/errors.js";
import type { Source } from "../files/source.js";
import { SAVE_STATE_DICT, unpickleFrom } from "../pickle/unpickle.js";
import type { Value } from "../pickle/values.js";
import { findStateDict } from "./checkpoint.js";
import { contentOf } from "./content.js";
import { type TorchHooks, torchHooks } from "./globals.js";
import type { ReadPthOptions } from "./readPthOptions.js";
import type { StorageBytes } from "./storages.js";

/** The first pickle of the format, a number that nobody writes by chance. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;
const PROTO = 0x80;

/**
 * Opens the format of torch.save before PyTorch 1.6: pickles of a magic number, a version, the properties of the
 * machine, the object and the keys of its storages; then the storages, each preceded by its number of elements.
 */
export async function openLegacy(source: Source, options: ReadPthOptions): Promise<Content> {
  await checkStart(source);
  const hooks = torchHooks(source, options.opaque ?? []);
  let at = 0;
  const next = async (): Promise<Value> => {
    const { value, length } = await unpickleFrom(source, at, hooks);
    at += length;
    return value;
  };
  if ((await next()) !== MAGIC)
    throw unsupportedFile(source, "it is a pickle that torch.save did not write", SAVE_STATE_DICT);
  const version = await next();
  if (version !== VERSION) {
    const shown = typeof version === "number" ? version : "damaged";
    throw unsupportedFile(source, `its format version is ${shown}`, SAVE_STATE_DICT);
  }
  checkByteOrder(source, await next());
  const root = await next();
  const keys = await next();
  const storages = await locateStorages(source, keys, at, hooks);
  return contentOf(source, findStateDict(source, root, options.key), storages, options);
}

async function checkStart(source: Source): Promise<void> {
  const [first] = new Uint8Array(await source.read(0, Math.min(1, source.size)));
  if (first !== PROTO) throw corruptFile(source, "it starts neither as a zip archive nor as a pickle");
}

function checkByteOrder(source: Source, system: Value): void {
  const little = system instanceof Map ? system.get("little_endian") : undefined;
  if (typeof little !== "boolean") throw corruptFile(source, "it does not say in which byte order it was written");
  if (!little) throw bigEndian(source, "big");
}

export function bigEndian(source: Source, order: string): Error {
  return unsupportedFile(source, `its numbers are ${brief(order)}-endian`, "save it on a little-endian machine");
}

/** The position of each storage, from the order of the keys. */
async function locateStorages(
  source: Source,
  keys: Value,
  begin: number,
  { storages }: TorchHooks,
): Promise<Map<string, StorageBytes>> {
  if (!Array.isArray(keys)) throw corruptFile(source, "it has no list of its storages");
  const found = new Map<string, StorageBytes>();
  let at = begin;
  for (const key of keys) {
    const storage = storages.get(key);
    if (storage === undefined || found.has(key)) throw corruptFile(source, "its list of storages is damaged");
    const size = storage.byteLength;
    const start = at + 8;
    if (!(start + size <= source.size)) {
      throw corruptFile(source, `storage ${brief(storage.key)} of ${size} bytes extends beyond the end of the file`);
    }
    const length = new DataView(await source.read(at, start)).getBigInt64(0, true);
    if (length !== BigInt(storage.total)) {
      const elements = `${length} elements, its pickle says ${storage.total}`;
      throw corruptFile(source, `storage ${brief(storage.key)} has ${elements}`);
    }
    found.set(storage.key, { size, compressed: false, read: (from, to) => source.read(start + from, start + to) });
    at = start + size;
  }
  return found;
}
