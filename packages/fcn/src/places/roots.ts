import { firstOf, invalidArgument } from "@fcn/tensor/internal";
import { fileError } from "../data/files/errors.js";
import { type AddressKind, addressKind, bucketAddress, webAddress } from "./address.js";
import { isBelow, realPathOf } from "./local.js";

/**
 * The addresses below which a program may read and write for others. A pattern is no address: the names that it matches
 * are to be checked. Servers below a root are trusted, since they may send a request on to others.
 */
export class Roots {
  /** What the roots are compared by. */
  readonly #paths = new Map<string, string>();

  constructor(private readonly roots: readonly string[]) {
    for (const root of roots) {
      if (addressKind(root) === "s3") bucketAddress(root);
      if (addressKind(root) === "http" && webAddress(root).search !== "") {
        throw invalidArgument(
          `${root}: a root is the beginning of addresses, and has no "?"`,
          'leave out "?" and the rest',
        );
      }
    }
  }

  /**
   * Throws `invalid-argument` unless the address lies below one of the roots, whole parts of names compared. Links of
   * this machine are followed first; "..", however it is written, is refused at once.
   */
  async check(address: string): Promise<void> {
    const kind = addressKind(address);
    if (/\p{Cc}/u.test(address)) throw refused(address, "it holds a control character", "give it another name");
    if (climbs(address)) throw refused(address, "the address may lead upwards", 'give it without ".."');
    const path = await PATHS[kind](address);
    for (const root of this.roots) {
      if (addressKind(root) === kind && IS_BELOW[kind](await this.#pathOf(root), path)) return;
    }
    const roots = this.roots.length === 0 ? "there are none" : firstOf(this.roots, 8);
    const fix = "name a place below a root, or start the program with a further root";
    throw refused(address, `the address is not below a root (${roots})`, fix);
  }

  async #pathOf(root: string): Promise<string> {
    const path = this.#paths.get(root) ?? (await PATHS[addressKind(root)](root));
    this.#paths.set(root, path);
    return path;
  }
}

const refused = (address: string, problem: string, fix: string): Error =>
  fileError("invalid-argument", address, problem, fix);

/** What addresses of a kind are compared by. */
const PATHS: Readonly<Record<AddressKind, (address: string) => string | Promise<string>>> = {
  local: (path) =>
    realPathOf(path).catch(() => {
      throw refused(path, "its folder cannot be looked at", "check the path, its links and its permissions");
    }),
  http(address) {
    const { origin, pathname } = webAddress(address);
    return origin + pathname;
  },
  s3(address) {
    const { bucket, key } = bucketAddress(address);
    return `${bucket}/${key}`;
  },
};

const isBelowAddress = (root: string, path: string): boolean => `${path}/`.startsWith(`${root.replace(/\/+$/, "")}/`);

const IS_BELOW = { local: isBelow, http: isBelowAddress, s3: isBelowAddress } as const;

/** More rounds of encoding than any address has for a good reason. */
const MOST_ROUNDS = 4;

/**
 * Whether a part of an address is ".." for somebody who decodes it, once or again, takes "\" for "/", or takes off what
 * follows ";".
 */
function climbs(address: string): boolean {
  let text = address;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    if (text.split(/[/\\?#]/).some((part) => /^\s*\.\.\s*(;|$)/.test(part))) return true;
    const decoded = text.replace(/%(2e|2f|5c|25|3b)/gi, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
    if (decoded === text) return false;
    text = decoded;
  }
  return true;
}
