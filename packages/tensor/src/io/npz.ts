import { brief } from "../errors.js";
import { type Content, type ContentArray, checkUnique, readContent } from "./content.js";
import { within } from "./errors.js";
import type { HostArray } from "./hostArray.js";
import { checkDataSize, decodeNpy } from "./npy.js";
import { encodeNpyHeader, readNpyHeader } from "./npyHeader.js";
import { type PathOrBytes, type Source, withSource } from "./source.js";
import { gather, loadValues, type WritableRecord, writableArrays } from "./writable.js";
import { writeWhole } from "./writeWhole.js";
import { openZip, type ZipEntry } from "./zip.js";
import { type ZipFile, zipPieces } from "./zipWriter.js";

/**
 * The arrays of a numpy `.npz` file by name (numpy.savez and savez_compressed), as {@link readNpy} gives them. Throws a
 * TensorError: "unreadable-file", "unsupported-file" or "corrupt-file".
 */
export async function readNpz(pathOrBytes: PathOrBytes): Promise<Record<string, HostArray>> {
  return withSource("readNpz", pathOrBytes, async (source) =>
    readContent(await openNpz(source, await openZip(source))),
  );
}

/** The arrays of a zip archive of `.npy` files; reads their headers only. */
export async function openNpz(source: Source, entries: readonly ZipEntry[]): Promise<Content> {
  const arrays: ContentArray[] = [];
  for (const entry of entries) arrays.push(await openEntry(source, entry));
  checkUnique(source, arrays);
  return { arrays, metadata: {} };
}

async function openEntry(source: Source, entry: ZipEntry): Promise<ContentArray> {
  const place = within(source, `entry ${brief(entry.name)}`);
  const header = await readNpyHeader(place, entry.size, entry.read);
  checkDataSize(place, header, entry.size);
  const read = async (): Promise<HostArray> => decodeNpy(header, await entry.readChecked(header.dataBegin));
  return { name: entry.name.replace(/\.npy$/, ""), stored: header.dtype, shape: header.shape, read };
}

/**
 * Writes tensors and host arrays by name as numpy.savez does, without compression (Node). One array at a time is held on the
 * host. The file appears under its name when it is complete; a failure leaves what was there before.
 */
export async function writeNpz(path: string | URL, tensors: WritableRecord): Promise<void> {
  await writeWhole("writeNpz", path, zipPieces(npyFiles("writeNpz", tensors)));
}

/** The bytes of a `.npz` file, for where there is no file system. */
export async function encodeNpz(tensors: WritableRecord): Promise<Uint8Array> {
  return gather(zipPieces(npyFiles("encodeNpz", tensors)));
}

async function* npyFiles(op: string, tensors: WritableRecord): AsyncGenerator<ZipFile> {
  for (const { name, value } of writableArrays(op, tensors)) {
    yield {
      name: `${name}.npy`,
      pieces: [encodeNpyHeader(value.dtype, value.shape), await loadValues(op, name, value)],
    };
  }
}
