import { brief } from "../../plain/errors.js";
import type { HostArray } from "../arrays/hostArray.js";
import { gather, loadValues, type WritableRecord, writableArrays } from "../arrays/writable.js";
import { type Content, type ContentArray, checkUnique, readContent } from "../content/content.js";
import { guessed } from "../content/otherFile.js";
import { checkLeft, type LeftOut, leftOut, type ReadOptions } from "../content/skipped.js";
import { type Place, unsupportedFile, within } from "../files/errors.js";
import { type PathOrBytes, type Source, withSource } from "../files/source.js";
import { writeWhole } from "../files/writeWhole.js";
import { type ZipFile, zipPieces } from "../zip/writer.js";
import { openZip, type ZipEntry } from "../zip/zip.js";
import { encodeNpyHeader, isNpy, readNpyHeader } from "./header.js";
import { checkDataSize, decodeNpy } from "./npy.js";

/**
 * Reads the arrays of a numpy `.npz` file by name (numpy.savez and savez_compressed), as {@link readNpy} returns them.
 * Arrays without numbers (text, objects, dates, records) and other content are left out and passed to `onSkipped`.
 *
 * Throws `unreadable-file`, `unsupported-file` or `corrupt-file`.
 */
export async function readNpz(pathOrBytes: PathOrBytes, options: ReadOptions = {}): Promise<Record<string, HostArray>> {
  return withSource("readNpz", pathOrBytes, (source) =>
    guessed(source, "a .npz file", async () => readContent(await openNpz(source, await openZip(source)), options)),
  );
}

/** The arrays of a zip archive of `.npy` files. Reads only their headers. */
export async function openNpz(source: Source, entries: readonly ZipEntry[]): Promise<Content> {
  const arrays: ContentArray[] = [];
  const skipped: LeftOut[] = [];
  for (const entry of entries) {
    const place = within(source, `entry ${brief(entry.name)}`);
    const name = entry.name.replace(/\.npy$/, "");
    await openEntry(place, name, entry).then(
      (array) => arrays.push(array),
      (error) => skipped.push(leftOut(name, error)),
    );
  }
  checkUnique(source, [...arrays, ...skipped]);
  checkLeft(source, arrays, skipped);
  const verify = async (names: readonly string[]): Promise<void> => {
    const wanted = new Set(names.map((name) => `${name}.npy`));
    for (const entry of entries)
      if (wanted.has(entry.name) || wanted.has(`${entry.name}.npy`)) await entry.readChecked();
  };
  return { arrays, metadata: {}, skipped, verify };
}

async function openEntry(place: Place, name: string, entry: ZipEntry): Promise<ContentArray> {
  const isArray = entry.name.endsWith(".npy") || isNpy(new Uint8Array(await entry.read(0, Math.min(6, entry.size))));
  if (!isArray) {
    const fix = "unpack the archive and pass the weights in it";
    throw unsupportedFile(place, "it does not start like a .npy file", fix);
  }
  const header = await readNpyHeader(place, entry);
  checkDataSize(place, header, entry.size);
  const read = async (): Promise<HostArray> => decodeNpy(header, await entry.readChecked(header.dataBegin));
  return { name, stored: header.dtype, shape: header.shape, read };
}

/**
 * Writes tensors and host arrays by name, uncompressed (numpy.savez; Node only). Holds one array at a time on the host.
 * The file appears under its name when it is complete; a failure leaves an earlier file unchanged.
 */
export async function writeNpz(path: string | URL, tensors: WritableRecord): Promise<void> {
  await writeWhole("writeNpz", path, zipPieces(npyFiles("writeNpz", tensors)));
}

/** As {@link writeNpz}, but returns the bytes, for use without a file system. */
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
