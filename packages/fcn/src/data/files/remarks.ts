import { TensorError } from "@fcn/tensor";
import { pathText, quoted, reasonOf, type ToldError, toldOf } from "./errors.js";

/** Something wrong or noteworthy about a data set; `file` is the image, mask or list concerned. */
export interface DataRemark {
  /**
   * "problem": something that training must not meet. "warning": probably a mistake. "note": how the data was
   * understood.
   */
  readonly level: "problem" | "warning" | "note";
  /** The code of the underlying error if there is one. */
  readonly code: string;
  readonly file: string;
  readonly text: string;
  /** The text for readers at a command line, if its remedy differs. */
  readonly commandText?: string;
  /** All files concerned, if one remark covers several. */
  readonly files?: readonly string[];
}

/** Turns an error into a remark about whichever of `files` its message names. */
export function remarkOf(error: unknown, files: readonly string[]): DataRemark {
  const unknown = (): ToldError => ({ code: "unreadable-file", message: reasonOf(error), fix: "" });
  const { code, message, fix, commandFix } = error instanceof TensorError ? toldOf(error) : unknown();
  const beginOf = (candidate: string): string => `${pathText(candidate)}: `;
  const file = files.find((candidate) => message.startsWith(beginOf(candidate))) ?? files[0] ?? "";
  const problem = message.startsWith(beginOf(file)) ? message.slice(beginOf(file).length) : message;
  const text = fix === "" ? problem : `${problem} (${fix})`;
  const forCommand = commandFix === undefined ? {} : { commandText: `${problem} (${commandFix})` };
  return { level: "problem", code, file, text, ...forCommand };
}

/** Makes the texts of a remark printable: what they quote from files is bounded and has no control characters. */
export const plainRemark = (remark: DataRemark): DataRemark => ({
  ...remark,
  text: quoted(remark.text),
  ...(remark.commandText === undefined ? {} : { commandText: quoted(remark.commandText) }),
});
