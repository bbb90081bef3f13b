import {
  BlobReader,
  BlobWriter,
  configure,
  type FileEntry,
  ZipReader,
  ZipWriter,
} from "@zip.js/zip.js/lib/zip-core-external.js";
import { StudioError } from "../session/errors.js";

/** Files by their paths, which have "/" between folders; each is read when it is asked for. */
export type Files = ReadonlyMap<string, () => Promise<Blob>>;

// The platform compresses off the main thread by itself.
configure({ useWebWorkers: false });

/** A file for a zip. Images are packed already, and packing them again only takes time. */
export interface ZipPart {
  readonly path: string;
  readonly content: Blob | string;
}

/** Makes a zip of files that may come one at a time; those before are not kept in memory. */
export async function writeZip(parts: AsyncIterable<ZipPart>): Promise<Blob> {
  const writer = new ZipWriter(new BlobWriter("application/zip"));
  for await (const { path, content } of parts) {
    const isText = typeof content === "string";
    await writer.add(path, new BlobReader(isText ? new Blob([content]) : content), { level: isText ? 6 : 0 });
  }
  return writer.close();
}

/**
 * Opens a zip. Its files are read when they are asked for, and their checksums compared.
 *
 * @param name of the zip, for messages
 * @throws StudioError `invalid-data-set` if it is no zip, or a damaged one; so do the files
 */
export async function openZip(zip: Blob, name: string): Promise<Files> {
  const reader = new ZipReader(new BlobReader(zip), { checkSignature: true });
  try {
    const files = new Map<string, () => Promise<Blob>>();
    for (const entry of await reader.getEntries()) {
      if (!entry.directory) files.set(entry.filename, () => contentOf(entry, name));
    }
    return files;
  } catch (cause) {
    const isZip = (await zip.slice(0, 2).text()) === "PK";
    throw isZip ? damaged(`"${name}" is a damaged zip, whose end is missing or wrong.`, cause) : notZip(name, cause);
  }
}

async function contentOf(entry: FileEntry, zip: string): Promise<Blob> {
  if (entry.encrypted) {
    throw new StudioError("invalid-data-set", `"${zip}" has a password.`, "Make a zip without one.");
  }
  try {
    return await entry.getData(new BlobWriter());
  } catch (cause) {
    throw damaged(`"${entry.filename}" in "${zip}" is damaged and cannot be unpacked.`, cause);
  }
}

const damaged = (message: string, cause: unknown): StudioError =>
  new StudioError("invalid-data-set", message, "Download or copy it again from where it came from.", { cause });

const notZip = (name: string, cause: unknown): StudioError =>
  new StudioError(
    "invalid-data-set",
    `"${name}" is not a zip.`,
    "Choose a zip that the studio exported, or one with images/ and masks/.",
    { cause },
  );
