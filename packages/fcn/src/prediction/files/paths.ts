import { realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";

/** The path of a file relative to a folder, with "/". */
export const nameIn = (folder: string, path: string): string => relative(folder, path).split(sep).join("/");

/** The real path of a folder, or of as much of it as exists. */
const realFolder = (folder: string): Promise<string> =>
  realpath(folder).catch(() => (folder === dirname(folder) ? folder : realName(folder)));

/**
 * The path of a file with links to folders resolved, the same by every way to the file. A link to a file stays its own
 * file, because writing would replace the link itself.
 *
 * @param known real paths of folders that are asked for again and again
 */
export async function realName(path: string, known = new Map<string, Promise<string>>()): Promise<string> {
  const folder = dirname(resolve(path));
  const found = known.get(folder) ?? realFolder(folder);
  known.set(folder, found);
  return join(await found, basename(path));
}
