import { TensorError } from "@fcn/tensor";
import { pathText, quoted, reasonOf, type ToldError, toldOf } from "./errors.js";

/** What was found wrong, or worth knowing, about a data set; `file` is the image, mask or list it is about. */
export interface DataRemark {
  /**
   * "problem": something that training must not meet. "warning": likely a mistake. "note": how the data was understood.
   */
  readonly level: "problem" | "warning" | "note";
  /** That of the error where one was the reason. */
  readonly code: string;
  readonly file: string;
  readonly text: string;
  /** The text for whoever reads it at a command line, where the remedy in it is another one. */
  readonly commandText?: string;
  /** All the files that it is about, where one line tells of many. */
  readonly files?: readonly string[];
}

/** An error as a remark about the one of `files` that its message names. */
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

/** A remark whose texts can be printed: what it quotes of files has no control characters and is not endless. */
export const plainRemark = (remark: DataRemark): DataRemark => ({
  ...remark,
  text: quoted(remark.text),
  ...(remark.commandText === undefined ? {} : { commandText: quoted(remark.commandText) }),
});
