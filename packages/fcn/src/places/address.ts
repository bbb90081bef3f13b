import type { TensorError } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";
import { fileError } from "../data/files/errors.js";

/** Where an address leads: to this machine, to a web server, or to a bucket. */
export type AddressKind = "local" | "http" | "s3";

/** Schemes with "://", and those that `fetch` takes without: what it would take must never pass for a path. */
const SCHEME = /^(?:([a-z][a-z0-9+.-]+):\/\/|(?:https?|s3|blob|data|file):)/i;

/** Throws `invalid-argument` for a scheme that no place has. */
export function addressKind(address: string): AddressKind {
  const found = SCHEME.exec(address);
  if (found === null) return "local";
  const scheme = found[1]?.toLowerCase();
  if (scheme === "s3") return "s3";
  if (scheme === "http" || scheme === "https") return "http";
  throw wrong(address, "this kind of address is not known", KNOWN);
}

const KNOWN = "give a path of this machine, or an address such as https://host/name or s3://bucket/name";

const wrong = (address: string, problem: string, fix: string): TensorError =>
  fileError("invalid-argument", address, problem, fix);

export const isRemote = (address: string): boolean => addressKind(address) !== "local";

/** The address of a web server; throws `invalid-argument` unless it is one. */
export function webAddress(address: string): URL {
  if (!URL.canParse(address)) throw wrong(address, "this is no address", KNOWN);
  const url = new URL(address);
  if (url.username === "" && url.password === "") return url;
  url.username = "";
  url.password = "";
  const fix = "leave it out; where a server asks for one, use an address that is signed";
  throw wrong(url.href, "the address carries a user name or a password", fix);
}

/** The bucket and the key of an address `s3://bucket/key`. The key is what stands there, and may be empty. */
export function bucketAddress(address: string): { readonly bucket: string; readonly key: string } {
  const [, bucket = "", key = ""] = /^s3:\/\/([^/]*)\/?(.*)$/is.exec(address) ?? [];
  if (/^[a-z0-9][a-z0-9._-]+$/i.test(bucket)) return { bucket, key };
  throw wrong(address, `"${bucket}" is not the name of a bucket`, "write s3://bucket/name");
}

/**
 * Throws `invalid-argument` unless a name stays below its place everywhere: parts with "/" between them, none of which
 * is empty, "." or "..".
 */
export function checkName(place: string, name: string): void {
  const parts = name.split("/");
  if (!name.includes("\0") && parts.every((part) => part !== "" && part !== "." && part !== "..")) return;
  const fix = 'use names such as a/b.png, without "..", "." and empty parts';
  throw wrong(place, `"${name}" does not name a file below it`, fix);
}

/** Splits the address of a file into its place and its name there. Throws `invalid-argument` if it names no file. */
export function splitAddress(address: string): { readonly place: string; readonly name: string } {
  const split = SPLITS[addressKind(address)](address);
  if (split.name === "") {
    throw wrong(address, "it names no file", "name a file, such as s3://bucket/name.png");
  }
  checkName(split.place, split.name);
  return split;
}

const SPLITS: Readonly<Record<AddressKind, (address: string) => { place: string; name: string }>> = {
  local(path) {
    const { dirname, sep } = nodeModule("place", "node:path");
    // Where it separates nothing, a backslash is a letter of names.
    const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf(sep));
    return { place: dirname(path), name: path.slice(end + 1) };
  },
  s3(address) {
    const { bucket, key } = bucketAddress(address);
    const end = key.lastIndexOf("/");
    return { place: `s3://${bucket}${end > 0 ? `/${key.slice(0, end)}` : ""}`, name: key.slice(end + 1) };
  },
  /** What follows "?" belongs to the place: signatures are for all files below one. */
  http(address) {
    const url = webAddress(address);
    const end = url.pathname.lastIndexOf("/");
    return {
      place: `${url.origin}${url.pathname.slice(0, end)}${url.search}`,
      name: decoded(url.pathname.slice(end + 1)),
    };
  },
};

/** A part of a URL's path as text; as it stands if it is not encoded as UTF-8. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
