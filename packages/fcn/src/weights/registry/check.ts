import { nodeModule } from "@fcn/tensor/internal";
import { fileDigest } from "../../files/digest.js";
import type { WeightsEntry } from "./entry.js";

/** What a file was compared with. */
export type Checked = "checksum" | "size";

const MEBIBYTE = 2 ** 20;

/** Whether a number of bytes matches the published size, as precisely as that is given. */
export function sizeFits(size: WeightsEntry["size"], bytes: number): boolean {
  if (size === undefined) return true;
  if ("bytes" in size) return bytes === size.bytes;
  // Half a unit of the last decimal, plus a byte for floating-point rounding.
  return Math.abs(bytes - size.mebibytes * MEBIBYTE) <= 0.0005 * MEBIBYTE + 1;
}

/** The published size in words. */
export function sizeText(size: WeightsEntry["size"]): string {
  if (size === undefined) return "unknown";
  return "bytes" in size ? `${size.bytes} bytes` : `${size.mebibytes} MiB`;
}

/**
 * Compares a file with its entry: returns the problem, if any, and what could be compared. Reads the file only if there
 * is a checksum.
 */
export async function checkFile(
  path: string,
  { size, checksum }: Pick<WeightsEntry, "size" | "checksum">,
): Promise<{ problem?: string; checked: Checked[] }> {
  const { stat } = nodeModule("fetchWeights", "node:fs/promises");
  const bytes = (await stat(path)).size;
  const checked: Checked[] = size === undefined ? [] : ["size"];
  if (!sizeFits(size, bytes)) return { problem: `it has ${bytes} bytes, published are ${sizeText(size)}`, checked };
  if (checksum === undefined) return { checked };
  const digest = await fileDigest(path, checksum.algorithm);
  const { algorithm, digits } = checksum;
  if (digest.startsWith(digits.toLowerCase())) return { checked: ["checksum", ...checked] };
  return { problem: `its ${algorithm} is ${digest}, published is ${digits}`, checked };
}
