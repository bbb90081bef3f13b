import { fileDigest } from "../../../files/digest.js";
import type { Configuration } from "../configuration.js";
import type { ChosenStart } from "./pretrained.js";

/** The weights that a run starts from. Their contents identify them, wherever they lie. */
export interface StartFile {
  /** The file, or the name of published weights. */
  readonly file: string;
  /** The first 16 digits of the hash; absent if the file is gone. */
  readonly sha256?: string;
}

/**
 * The named file, or the published weights, with the hash. After a checkpoint the starting weights no longer matter, so
 * a resumed run need not name or have them; if it names others, these are returned.
 */
export async function startFile(
  { options: { weights, pretrained: choice }, file, pretrained }: ChosenStart,
  saved: Configuration | undefined,
): Promise<StartFile | undefined> {
  const before = saved?.weights as StartFile | undefined;
  if (weights === undefined) return restated(choice, before);
  if (file === undefined) return before?.file === weights ? before : { file: weights };
  const sha256 = (await fileDigest(file, "sha256")).slice(0, 16);
  return before?.sha256 === sha256 ? before : { file: pretrained?.entry.name ?? weights, sha256 };
}

/** What a resumed run started from, unless it is told to have started otherwise. */
function restated(choice: string | undefined, before: StartFile | undefined): StartFile | undefined {
  if (choice === "none") return undefined;
  return choice === undefined || choice === "auto" || choice === "default" || choice === before?.file
    ? before
    : { file: choice };
}
