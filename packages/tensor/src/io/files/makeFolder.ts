import { nodeModule } from "../../plain/node.js";
import { unwritable } from "./unwritable.js";

/** Creates a folder and its parents. Throws `disk-full` or `unwritable-file`. */
export async function makeFolder(op: string, path: string): Promise<void> {
  await makeWithParents(op, path).catch((cause: unknown) => {
    throw unwritable(op, path, cause);
  });
}

/** Node's own recursive mkdir never ends if a file system refuses new folders with ENOENT, as /proc does. */
async function makeWithParents(op: string, path: string): Promise<void> {
  const { mkdir, stat } = nodeModule(op, "node:fs/promises");
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return;
  const parent = nodeModule(op, "node:path").dirname(path);
  if (parent !== path) await makeWithParents(op, parent);
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}
