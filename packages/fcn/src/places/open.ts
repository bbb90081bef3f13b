import { addressKind, splitAddress } from "./address.js";
import type { Place } from "./place.js";

/** The place at an address: a folder of this machine, `http(s)://host/path`, or `s3://bucket/prefix`. */
export async function openPlace(address: string): Promise<Place> {
  switch (addressKind(address)) {
    case "s3":
      return new (await import("./s3.js")).S3Place(address);
    case "http":
      return new (await import("./http.js")).HttpPlace(address);
    case "local":
      return new (await import("./local.js")).LocalPlace(address);
  }
}

/** The bytes of the file at an address. */
export async function readAddress(address: string): Promise<Uint8Array> {
  const { place, name } = splitAddress(address);
  return (await openPlace(place)).read(name);
}

/** A file as readers of files take it: an object of a bucket with its bytes, paths and web addresses as they are. */
export async function fileAt(address: string): Promise<string | File> {
  if (addressKind(address) !== "s3") return address;
  return new File([(await readAddress(address)) as Uint8Array<ArrayBuffer>], address);
}
