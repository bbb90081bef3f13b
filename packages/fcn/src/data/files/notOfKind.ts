import type { TensorError } from "@fcn/tensor";
import { guessContent } from "@fcn/tensor/internal";
import { damagedFile, wrongContent } from "./errors.js";

/**
 * The error for a file that is not of the kind `wanted`: it says what the first bytes show, or otherwise that the file
 * is damaged as `problem` describes.
 */
export function notOfKind(file: string, bytes: Uint8Array, wanted: string, problem: string): TensorError {
  return wrongContent("corrupt-file", file, guessContent(bytes), wanted) ?? damagedFile(file, problem);
}
