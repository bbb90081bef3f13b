import { io } from "@fcn/tensor";
import { PNG_SIGNATURE } from "../../encoding/pngFormat.js";
import { damagedFile } from "../files/errors.js";
import { notOfKind } from "../files/notOfKind.js";

export function isPng(bytes: Uint8Array): boolean {
  return PNG_SIGNATURE.every((value, i) => bytes[i] === value);
}

/** The chunks of a PNG file by type, in order up to IEND. Verifies the checksums of critical chunks. */
export function readChunks(file: string, bytes: Uint8Array): Map<string, Uint8Array[]> {
  if (!isPng(bytes)) throw notOfKind(file, bytes, "a PNG file", "it is not a PNG file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks = new Map<string, Uint8Array[]>();
  for (let at = PNG_SIGNATURE.length; ; ) {
    if (at + 12 > bytes.length) throw damagedFile(file, `it is cut off after ${bytes.length} bytes`);
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const end = at + 8 + length;
    if (end + 4 > bytes.length)
      throw damagedFile(file, `it is cut off after ${bytes.length} bytes, in its ${type} part`);
    const isCritical = ((bytes[at + 4] as number) & 0x20) === 0;
    if (isCritical && new io.Crc32().update(bytes.subarray(at + 4, end)).value !== view.getUint32(end)) {
      throw damagedFile(file, `the checksum of its ${type} part does not match`);
    }
    if (type === "IEND") return chunks;
    const list = chunks.get(type) ?? [];
    list.push(bytes.subarray(at + 8, end));
    chunks.set(type, list);
    at = end + 4;
  }
}
