import { TensorError } from "@fcn/tensor";
import { fileFaultOf, quoted, reasonOf } from "./errors.js";

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
  /** What the text consists of, if it has a remedy: the problem and the remedy, for a command line if that differs. */
  readonly parts?: { readonly problem: string; readonly fix: string; readonly commandFix?: string };
  /** All files concerned, if one remark covers several. */
  readonly files?: readonly string[];
}

/** The texts of a remark: the problem, with the remedy in brackets after it. */
export function withFix(
  problem: string,
  fix?: string,
  commandFix = fix,
): Pick<DataRemark, "text" | "commandText" | "parts"> {
  if (fix === undefined || fix === "") return { text: problem };
  const text = `${problem} (${fix})`;
  if (commandFix === undefined || commandFix === fix) return { text, parts: { problem, fix } };
  return { text, commandText: `${problem} (${commandFix})`, parts: { problem, fix, commandFix } };
}

/** Turns an error into a remark about the one of `files` that it concerns, or else about the first of them. */
export function remarkOf(error: unknown, files: readonly string[]): DataRemark {
  const [first = ""] = files;
  if (!(error instanceof TensorError)) {
    return { level: "problem", code: "unreadable-file", file: first, text: reasonOf(error) };
  }
  const { code, message, fix, commandFix } = error;
  const fault = fileFaultOf(error);
  const { file, problem } = fault && files.includes(fault.file) ? fault : { file: first, problem: message };
  return { level: "problem", code, file, ...withFix(problem, fix, commandFix) };
}

/** Makes the texts of a remark printable: what they quote from files is bounded and has no control characters. */
export const plainRemark = (remark: DataRemark): DataRemark => {
  const { text, commandText, parts } = remark;
  return {
    ...remark,
    text: quoted(text),
    ...(commandText === undefined ? {} : { commandText: quoted(commandText) }),
    ...(parts === undefined ? {} : { parts: allQuoted(parts) }),
  };
};

const allQuoted = <Texts extends object>(texts: Texts): Texts =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, quoted(text)])) as Texts;
