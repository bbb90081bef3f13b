import { constants } from "node:buffer";
import { createHash } from "node:crypto";
import { hasCode, TensorError } from "@fcn/tensor";
import { folderOf } from "../../data/files/files.js";
import { counted } from "../../data/files/words.js";
import type { Place } from "../../places/place.js";
import { SPLIT } from "./input.js";
import type { WrittenFile } from "./written.js";

/** The hidden file that lists the results in their place. */
const MANIFEST = ".fcn-predict.json";
/** Characters that a list may have, which is one string. */
const LONGEST = constants.MAX_STRING_LENGTH;
/** Characters that are encoded at a time, about. */
const PIECE = 2 ** 16;

/** The content with which a file was left; null if it is being written, or was when the run was cut off. */
type Stamp = Omit<WrittenFile, "name"> | null;

/**
 * The files that `predict` has written into a place. Only these may be overwritten, and they are not inputs. A file
 * changed since then belongs to the user. What the list holds follows from the names and the contents alone, so that it
 * has the same bytes whoever wrote them.
 */
export class Manifest {
  private constructor(
    private readonly place: Place,
    private readonly stamps: Map<string, Stamp>,
  ) {}

  /** The manifest of a place; empty if there is none, or none that makes sense. */
  static async read(place: Place): Promise<Manifest> {
    const bytes = await place.read(MANIFEST).catch((error: unknown) => {
      if (hasCode(error, "missing-data")) return new Uint8Array(0);
      throw error;
    });
    return new Manifest(place, stampsIn(new TextDecoder().decode(bytes)));
  }

  get isEmpty(): boolean {
    return this.stamps.size === 0;
  }

  /** The folders into which `predict` has written, by their names below the place, that of which is empty. */
  get folders(): ReadonlySet<string> {
    return new Set(["", ...Array.from(this.stamps.keys(), folderOf)]);
  }

  /** Whether a file is as `predict` left it. */
  async isOwn(name: string): Promise<boolean> {
    const stamp = this.stamps.get(name);
    if (stamp === undefined) return false;
    const found = await this.place.stat(name).catch(() => undefined);
    if (found === undefined || stamp === null) return found !== undefined;
    return stamp.bytes === found.bytes && stamp.sha256 === (await this.#digest(name));
  }

  /**
   * Throws `limit-exceeded` unless the list has room for the results of so many images, each of which has several
   * names, beside those that it has. An entry has about 130 characters, so that for two results an image, and no others
   * in the place, there is room for some 1.9 million images.
   */
  checkRoom(named: readonly (readonly string[])[], longest = LONGEST): void {
    const [before, after] = [new Set(this.stamps.keys()), new Set(named.flat())];
    for (const name of before) after.delete(name);
    const [left, added] = [longest - FRAME - lengthOf(before), lengthOf(after)];
    if (added <= left) return;
    const room = counted(Math.max(0, Math.floor((named.length * left) / added)), "image");
    const others = before.size > 0 ? ` beside the ${before.size} results that are there` : "";
    throw new TensorError({
      code: "limit-exceeded",
      message: `predict: the list of results in ${this.place.address} has room for those of about ${room}${others}, not of ${named.length}`,
      fix: SPLIT,
    });
  }

  /** Lists files that are about to be written, so that they are recognised if the run is cut off. */
  announce(names: Iterable<string>): Promise<void> {
    return this.#update(names, () => null);
  }

  /** Lists what was written. Files that were announced and are not among it return to their earlier state. */
  settle(written: Iterable<WrittenFile>, announced: Iterable<string> = []): Promise<void> {
    return this.#update(announced, (name) => this.stamps.get(name), written);
  }

  /**
   * Lists what machines have written of what was announced, whichever of them did. Files that were announced and are
   * not among it are no results.
   */
  finish(written: Iterable<WrittenFile>, announced: Iterable<string>): Promise<void> {
    return this.#update(announced, (name) => this.stamps.get(name) ?? undefined, written);
  }

  async #digest(name: string): Promise<string> {
    const hash = createHash("sha256");
    for await (const piece of this.place.stream(name)) hash.update(piece);
    return hash.digest("hex");
  }

  /** Gives names the stamps of `stampOf`, which is undefined for those that go, and then lists what was written. */
  async #update(
    names: Iterable<string>,
    stampOf: (name: string) => Stamp | undefined,
    written: Iterable<WrittenFile> = [],
  ): Promise<void> {
    // Keeps what another run into the same place has listed meanwhile.
    const { stamps } = await Manifest.read(this.place);
    for (const name of names) {
      const stamp = stampOf(name);
      if (stamp === undefined) stamps.delete(name);
      else stamps.set(name, stamp);
    }
    for (const { name, bytes, sha256 } of written) stamps.set(name, { bytes, sha256 });
    if (stamps.size === 0) return this.place.remove(MANIFEST);
    await this.place.write(MANIFEST, Buffer.concat([...encoded(stamps)]));
  }
}

/** The list in the order of its names. */
function* encoded(stamps: ReadonlyMap<string, Stamp>): Generator<Buffer> {
  let text = '{"files":{';
  let before = "";
  for (const name of [...stamps.keys()].sort()) {
    text += `${before}${JSON.stringify(name)}:${JSON.stringify(stamps.get(name))}`;
    before = ",";
    if (text.length < PIECE) continue;
    yield Buffer.from(text);
    text = "";
  }
  yield Buffer.from(`${text}}}\n`);
}

/** Characters of a list beside its entries, and at most those of an entry beside its name. */
const FRAME = '{"files":{}}\n'.length;
const STAMP = `:${JSON.stringify({ bytes: Number.MAX_SAFE_INTEGER, sha256: "0".repeat(64) })},`.length;

/** Characters of the entries of such files once they are written. */
function lengthOf(names: Iterable<string>): number {
  let length = 0;
  for (const name of names) length += JSON.stringify(name).length + STAMP;
  return length;
}

function stampsIn(text: string): Map<string, Stamp> {
  const stamps = new Map<string, Stamp>();
  try {
    const { files } = JSON.parse(text) as { files: Record<string, Partial<WrittenFile> | null> };
    for (const name of Object.keys(files)) {
      const stamp = files[name] as Partial<WrittenFile> | null;
      const { bytes, sha256 } = stamp ?? {};
      if (stamp === null) stamps.set(name, null);
      else if (typeof bytes === "number" && typeof sha256 === "string") stamps.set(name, { bytes, sha256 });
    }
  } catch {
    return new Map();
  }
  return stamps;
}
