import { invalidArgument, nodeModule } from "@fcn/tensor/internal";
import { fetchBytes, remoteAddress } from "../../files/fetchBytes.js";
import { readBytes } from "../files/files.js";

/** An encoded image: its bytes, or where it is: an address, or the path of a file (Node). */
export type EncodedImage = Uint8Array | ArrayBuffer | Blob | string | URL;

/** The bytes of an encoded image. Errors of addresses begin with `op`, those of files name the file. */
export async function imageBytes(op: string, image: EncodedImage): Promise<Uint8Array> {
  if (image instanceof Uint8Array) return image;
  if (image instanceof ArrayBuffer) return new Uint8Array(image);
  if (image instanceof Blob) return new Uint8Array(await image.arrayBuffer());
  if (typeof image !== "string" && !(image instanceof URL)) {
    throw invalidArgument(`${op}: got ${image === null ? "null" : typeof image}, but needs an image`, {
      code: "pass the bytes of an image file, a Blob or File, a path or an address",
    });
  }
  const address = remoteAddress(image);
  if (address !== undefined) return fetchBytes(op, address);
  return readBytes(image instanceof URL ? nodeModule(op, "node:url").fileURLToPath(image) : image);
}
