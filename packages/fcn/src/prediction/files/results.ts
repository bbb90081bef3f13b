import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { addressKind, bucketAddress, splitAddress } from "../../places/address.js";
import { openPlace } from "../../places/open.js";
import { Manifest } from "./manifest.js";
import { nameIn, realName } from "./paths.js";

/** Recognises results of earlier runs by the lists that `predict` leaves in the places it writes to. */
export class Results {
  /** Number of files named one by one that are results in the place of this run. */
  named = 0;
  readonly #manifests = new Map<string, Promise<Manifest | undefined>>();

  constructor(private readonly out: string | undefined) {}

  /** The files below `folder` that are not results. */
  async without(files: readonly string[], folder = ""): Promise<string[]> {
    const kept: string[] = [];
    for (const file of files) if (!(await this.#isResult(await realName(join(folder, file))))) kept.push(file);
    return kept;
  }

  /** Whether an object of a bucket is a result. */
  isResultObject(address: string): Promise<boolean> {
    return this.#isResult(address);
  }

  /**
   * Whether a named file is a result in the place of this run, as those that a shell's patterns match may be. Results
   * in other places may be wanted, so they do not count.
   */
  async isNamed(file: string): Promise<boolean> {
    const { out } = this;
    const kind = addressKind(file);
    if (out === undefined || kind === "http" || kind !== addressKind(out)) return false;
    const root = kind === "s3" ? (await openPlace(out)).address : await realpath(out).catch(() => undefined);
    if (root === undefined) return false;
    const name = kind === "s3" ? nameBelow(root, file) : nameIn(root, await realName(file));
    const isResult = name !== undefined && ((await (await this.#manifestOf(root))?.isOwn(name)) ?? false);
    if (isResult) this.named++;
    return isResult;
  }

  async #isResult(file: string): Promise<boolean> {
    for (const [place, name] of namesOf(file)) {
      if (await (await this.#manifestOf(place))?.isOwn(name)) return true;
    }
    return false;
  }

  /** Undefined for a place that may not be read, as those above the one that is named may be. */
  #manifestOf(place: string): Promise<Manifest | undefined> {
    const known = this.#manifests.get(place) ?? openPlace(place).then(Manifest.read, () => undefined);
    const found = known.catch(() => undefined);
    this.#manifests.set(place, found);
    return found;
  }
}

const nameBelow = (place: string, file: string): string | undefined =>
  file.startsWith(`${place}/`) ? file.slice(place.length + 1) : undefined;

/** The places above a file, from the nearest on, and its name in each. */
function* namesOf(file: string): Generator<[place: string, name: string]> {
  if (addressKind(file) === "local") {
    for (let folder = dirname(file); ; folder = dirname(folder)) {
      yield [folder, nameIn(folder, file)];
      if (folder === dirname(folder)) return;
    }
  }
  let { place, name } = splitAddress(file);
  yield [place, name];
  while (bucketAddress(place).key !== "") {
    const above = splitAddress(place);
    name = `${above.name}/${name}`;
    place = above.place;
    yield [place, name];
  }
}
