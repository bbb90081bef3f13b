import { lstat, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeWholeFile } from "../../files/write.js";

/** The hidden file that lists the results in their folder. */
const MANIFEST = ".fcn-predict.json";

/** The state in which a file was left; null if it is being written, or was when the run was cut off. */
type Stamp = { readonly bytes: number; readonly modified: number } | null;

/** Milliseconds. File systems round times, some of them to two seconds. */
const CLOCK = 2000;

/**
 * The files that `predict` has written into a folder. Only these may be overwritten, and they are not inputs. A file
 * changed since then belongs to the user. Names are paths below the folder, with "/".
 */
export class Manifest {
  private constructor(
    private readonly folder: string,
    private readonly stamps: ReadonlyMap<string, Stamp>,
  ) {}

  /** The manifest of a folder; empty if there is none, or none that can be read. */
  static async read(folder: string): Promise<Manifest> {
    const text = await readFile(join(folder, MANIFEST), "utf8").catch(() => "{}");
    return new Manifest(folder, new Map(Object.entries(filesIn(text))));
  }

  get isEmpty(): boolean {
    return this.stamps.size === 0;
  }

  /** The folder, and the folders in it into which `predict` has written. */
  get folders(): ReadonlySet<string> {
    return new Set([this.folder, ...Array.from(this.stamps.keys(), (name) => join(this.folder, dirname(name)))]);
  }

  /** Whether a file is as `predict` left it. */
  async isOwn(name: string): Promise<boolean> {
    const stamp = this.stamps.get(name);
    const found = stamp === undefined ? null : await this.#stampOf(name);
    if (stamp === undefined || found === null) return false;
    return stamp === null || (stamp.bytes === found.bytes && Math.abs(stamp.modified - found.modified) <= CLOCK);
  }

  /** Lists files that are about to be written, so that they are recognised if the run is cut off. */
  announce(names: Iterable<string>): Promise<void> {
    return this.#update(new Map(Array.from(names, (name) => [name, null])));
  }

  /** Records the final state of all announced files. Those that were not written return to their earlier state. */
  async settle(announced: Iterable<string>, written: ReadonlySet<string>): Promise<void> {
    const changes = new Map<string, Stamp | undefined>();
    for (const name of announced) {
      const left = written.has(name) ? await this.#stampOf(name) : null;
      changes.set(name, left ?? this.stamps.get(name));
    }
    await this.#update(changes);
  }

  async #stampOf(name: string): Promise<Stamp> {
    const found = await lstat(join(this.folder, name)).catch(() => undefined);
    return found?.isFile() ? { bytes: found.size, modified: Math.round(found.mtimeMs) } : null;
  }

  async #update(changes: ReadonlyMap<string, Stamp | undefined>): Promise<void> {
    // Keeps what another run into the same folder has listed meanwhile.
    const { stamps } = await Manifest.read(this.folder);
    const all = [...new Map([...stamps, ...changes])].filter(([, stamp]) => stamp !== undefined);
    const path = join(this.folder, MANIFEST);
    if (all.length === 0) await rm(path, { force: true });
    else {
      const text = `${JSON.stringify({ files: Object.fromEntries(all) })}\n`;
      await writeWholeFile("predict", path, text, { sync: false });
    }
  }
}

function filesIn(text: string): Record<string, Stamp> {
  try {
    return (JSON.parse(text) as { files?: Record<string, Stamp> } | null)?.files ?? {};
  } catch {
    return {};
  }
}

/** A result and what it holds. */
export interface WrittenFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export async function mergeManifest(
  place: import("../../places/place.js").Place,
  written: readonly WrittenFile[],
): Promise<void> {
  const files = Object.fromEntries(
    [...written].sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, ...stamp }) => [name, stamp]),
  );
  await place.write(MANIFEST, new TextEncoder().encode(`${JSON.stringify({ files })}\n`));
}
