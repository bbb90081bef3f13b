import { brief } from "../../plain/errors.js";
import type { HostArray } from "../arrays/hostArray.js";
import { type Content, readContent } from "../content/content.js";
import { guessed } from "../content/otherFile.js";
import { unsupportedFile, within } from "../files/errors.js";
import { type PathOrBytes, type Source, withSource } from "../files/source.js";
import { SAVE_STATE_DICT, unpickle } from "../pickle/unpickle.js";
import { isZip, openZip, type ZipEntry } from "../zip/zip.js";
import { findStateDict } from "./checkpoint.js";
import { contentOf } from "./content.js";
import { torchHooks } from "./globals.js";
import { bigEndian, openLegacy } from "./legacy.js";
import type { ReadPthOptions } from "./readPthOptions.js";
import type { StorageBytes } from "./storages.js";

/**
 * Reads the tensors of a state dict that torch.save wrote, in the zip format or the older one (`.pth`, `.pt`), by name
 * and in row-major order (torch.load). float16 and bfloat16 become float32. In a checkpoint, it finds the state dict of
 * the net: see {@link ReadPthOptions}. The pickle is read as data: nothing in it is ever executed, and classes and
 * functions that have no place in a state dict are refused. Tensors of unsupported kinds (sparse, quantised, complex,
 * without data) are left out and passed to `onSkipped`.
 *
 * Throws `unreadable-file`, `corrupt-file`, `unsupported-file`, `unsafe-pickle` or `ambiguous-checkpoint`.
 */
export async function readPth(
  pathOrBytes: PathOrBytes,
  options: ReadPthOptions = {},
): Promise<Record<string, HostArray>> {
  return withSource("readPth", pathOrBytes, (source) =>
    guessed(source, "a PyTorch file", async () => readContent(await openPth(source, options), options)),
  );
}

/** Reads names, shapes and dtypes of a file of torch.save. Values are read on demand. */
export async function openPth(source: Source, options: ReadPthOptions): Promise<Content> {
  return (await isZip(source)) ? openTorchZip(source, await openZip(source), options) : openLegacy(source, options);
}

/** Whether a file that starts like this is a pickle. Opening it shows which kind. */
export const isTorchPickle = (start: Uint8Array): boolean => start[0] === 0x80 && start[1]! >= 2 && start[1]! <= 5;

/** The pickle in a zip archive that torch.save wrote: `archive/data.pkl`. */
export const pickleOf = (entries: readonly ZipEntry[]): ZipEntry | undefined =>
  entries.find(({ name }) => /^([^/]*\/)?data\.pkl$/.test(name));

async function openTorchZip(source: Source, entries: readonly ZipEntry[], options: ReadPthOptions): Promise<Content> {
  const pickle = pickleOf(entries);
  if (pickle === undefined) {
    const isNpz = entries.some(({ name }) => name.endsWith(".npy"));
    throw unsupportedFile(
      source,
      "it is a zip archive without data.pkl, so torch.save did not write it",
      isNpz ? { code: "read it with io.readNpz or io.openWeights" } : SAVE_STATE_DICT,
    );
  }
  const folder = pickle.name.slice(0, -"data.pkl".length);
  const files = new Map(entries.map((entry) => [entry.name, entry]));
  if (files.has(`${folder}constants.pkl`)) {
    throw unsupportedFile(
      source,
      "it is a TorchScript archive, which holds a program",
      "save only its weights in PyTorch: torch.save(torch.jit.load(path).state_dict(), other_path)",
    );
  }
  await checkByteOrder(source, files.get(`${folder}byteorder`));
  const bytes = new Uint8Array(await pickle.readChecked());
  const hooks = torchHooks(source, options.opaque ?? []);
  const { value } = unpickle(within(source, brief(pickle.name)), bytes, hooks);
  const data = `${folder}data/`;
  const storages = new Map(
    entries.flatMap((entry) =>
      entry.name.startsWith(data) ? [[entry.name.slice(data.length), storageOf(entry)] as const] : [],
    ),
  );
  return contentOf(source, findStateDict(source, value, options.key), storages, options);
}

async function checkByteOrder(source: Source, entry: ZipEntry | undefined): Promise<void> {
  if (entry === undefined) return;
  const order = new TextDecoder().decode(await entry.read(0, Math.min(entry.size, 16))).trim();
  if (order !== "little") throw bigEndian(source, order);
}

/** A checksum covers a whole entry, so it is checked only if a tensor needs all of it. */
function storageOf(entry: ZipEntry): StorageBytes {
  const { size, compressed } = entry;
  const read = (begin: number, end: number): Promise<ArrayBuffer> =>
    begin === 0 && end === size ? entry.readChecked() : entry.read(begin, end);
  return { size, compressed, read, check: () => entry.readChecked() };
}
