import { addressKind, splitAddress } from "./address.js";
import type { LocalOptions } from "./local.js";
import type { Place, PlaceEntry } from "./place.js";

/**
 * The place at an address: a folder of this machine, for which the options are, `http(s)://host/path`, or
 * `s3://bucket/prefix`.
 */
export async function openPlace(address: string, options?: LocalOptions): Promise<Place> {
  switch (addressKind(address)) {
    case "s3":
      return new (await import("./s3.js")).S3Place(address);
    case "http":
      return new (await import("./http.js")).HttpPlace(address);
    case "local":
      return new (await import("./local.js")).LocalPlace(address, options);
  }
}

/** A file of this machine is what its path leads to, of which `Roots` say whether it is for others. */
const ANY = { followsLinks: true } as const;

/** The bytes of the file at an address, or `length` of them from `offset`. */
export async function readAddress(
  address: string,
  range?: { readonly offset: number; readonly length: number },
): Promise<Uint8Array> {
  const { place, name } = splitAddress(address);
  return (await openPlace(place, ANY)).read(name, range);
}

/** The file at an address, or undefined if there is none. */
export async function statAddress(address: string): Promise<PlaceEntry | undefined> {
  const { place, name } = splitAddress(address);
  return (await openPlace(place, ANY)).stat(name);
}
