import { StudioError } from "../session/errors.js";
import { type Files, openZip } from "./zips.js";

/** What can be brought back: a zip, a folder that was dropped or opened, or the files of one that was chosen. */
export type Source = Blob | FileSystemDirectoryHandle | readonly File[];

/** Files with their paths, and the name of where they come from for messages. */
export interface Opened {
  readonly name: string;
  readonly files: Files;
}

/** Lists the files of a zip or a folder. Throws StudioError `invalid-data-set` if it cannot be read. */
export async function openSource(source: Source): Promise<Opened> {
  if (source instanceof Blob) {
    const name = source instanceof File ? source.name : "the zip";
    return { name, files: shown(await openZip(source, name)) };
  }
  const files = new Map<string, () => Promise<Blob>>();
  if (!("kind" in source)) {
    for (const file of source) files.set(file.webkitRelativePath || file.name, async () => file);
    return { name: source[0]?.webkitRelativePath.split("/")[0] || "the folder", files: shown(files) };
  }
  await addFolder(source, "", files);
  return { name: source.name, files: shown(files) };
}

/** The text of a file; undefined if it is not there. */
async function readText(files: Files, path: string): Promise<string | undefined> {
  return (await files.get(path)?.())?.text();
}

/** A file of JSON. Throws StudioError `invalid-data-set` if it is none. */
export async function readJson(files: Files, path: string): Promise<unknown> {
  const text = await readText(files, path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    const fix = "Correct the file, or export it again.";
    throw new StudioError("invalid-data-set", `"${path}" is not JSON: ${(cause as Error).message}.`, fix, { cause });
  }
}

async function addFolder(folder: FileSystemDirectoryHandle, path: string, files: Map<string, () => Promise<Blob>>) {
  for await (const handle of folder.values()) {
    if (handle.kind === "file") files.set(`${path}${handle.name}`, () => (handle as FileSystemFileHandle).getFile());
    else await addFolder(handle as FileSystemDirectoryHandle, `${path}${handle.name}/`, files);
  }
}

/** Without what systems hide beside the files of people. */
function shown(files: Files): Files {
  return new Map([...files].filter(([path]) => !path.split("/").some((part) => /^(\.|__MACOSX$)/.test(part))));
}
