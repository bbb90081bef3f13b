import { kindOf } from "../../data/files/files.js";
import { fileDigest } from "../../files/digest.js";
import type { Configuration } from "./configuration.js";

/** The weights file that a run starts from. Its contents identify it, wherever it lies. */
export interface StartFile {
  readonly file: string;
  /** The first 16 digits of the hash; absent if the file is gone. */
  readonly sha256?: string;
}

/**
 * The named file with its hash. After a checkpoint the starting weights no longer matter, so a resumed run need not
 * name or have them.
 */
export async function startFile(
  file: string | undefined,
  saved: Configuration | undefined,
): Promise<StartFile | undefined> {
  const before = saved?.weights as StartFile | undefined;
  if (file === undefined) return before;
  if ((await kindOf(file)) === undefined) return before?.file === file ? before : { file };
  const sha256 = (await fileDigest(file, "sha256")).slice(0, 16);
  return before?.sha256 === sha256 ? before : { file, sha256 };
}
