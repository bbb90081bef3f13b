import { TensorError } from "../device/errors.js";

export function corruptFile(reader: string, file: string, problem: string): TensorError {
  return new TensorError({
    code: "corrupt-file",
    message: `${reader}: ${file}: ${problem}`,
    fix: "fetch or write the file again: it is incomplete, damaged or of another format",
  });
}

export function unsupportedFile(reader: string, file: string, problem: string, fix: string): TensorError {
  return new TensorError({ code: "unsupported-file", message: `${reader}: ${file}: ${problem}`, fix });
}
