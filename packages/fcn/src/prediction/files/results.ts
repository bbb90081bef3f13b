import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Manifest } from "./manifest.js";
import { nameIn, realName } from "./paths.js";

/** Recognises results of earlier runs by the lists that `predict` leaves in the folders it writes to. */
export class Results {
  /** Number of files named one by one that are results in the folder of this run. */
  named = 0;
  readonly #manifests = new Map<string, Promise<Manifest>>();

  constructor(private readonly out: string | undefined) {}

  /** The files below `folder` that are not results. */
  async without(files: readonly string[], folder = ""): Promise<string[]> {
    const kept: string[] = [];
    for (const file of files) if (!(await this.#isResult(join(folder, file)))) kept.push(file);
    return kept;
  }

  /**
   * Whether a named file is a result in the folder of this run, as those that a shell's patterns match may be. Results
   * in other folders may be wanted, so they do not count.
   */
  async isNamed(path: string): Promise<boolean> {
    if (this.out === undefined) return false;
    const root = await realpath(this.out).catch(() => undefined);
    if (root === undefined) return false;
    const isResult = await (await this.#manifestOf(root)).isOwn(nameIn(root, await realName(path)));
    if (isResult) this.named++;
    return isResult;
  }

  async #isResult(path: string): Promise<boolean> {
    const file = await realName(path);
    for (let folder = dirname(file); ; folder = dirname(folder)) {
      const manifest = await this.#manifestOf(folder);
      if (!manifest.isEmpty && (await manifest.isOwn(nameIn(folder, file)))) return true;
      if (folder === dirname(folder)) return false;
    }
  }

  #manifestOf(folder: string): Promise<Manifest> {
    const known = this.#manifests.get(folder) ?? Manifest.read(folder);
    this.#manifests.set(folder, known);
    return known;
  }
}
