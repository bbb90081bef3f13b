import { kindOf } from "../../../data/files/files.js";
import { fileDigest } from "../../../files/digest.js";
import type { Configuration } from "../configuration.js";

/** The file of weights that a run starts from. What is in it tells it from others, wherever it lies. */
export interface StartFile {
  readonly file: string;
  /** The first 16 digits; absent where the file is gone. */
  readonly sha256?: string;
}

/**
 * Of the file that is named. After a checkpoint the weights of the start play no part any more: who goes on need not
 * name them again, and need not have them.
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
