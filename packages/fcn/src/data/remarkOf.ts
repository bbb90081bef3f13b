import { TensorError } from "@fcn/tensor";
import type { DataRemark } from "./dataset.js";
import { pathText, reasonOf } from "./errors.js";

/** An error as a remark about the one of `files` that its message names. */
export function remarkOf(error: unknown, files: readonly string[]): DataRemark {
  const known = error instanceof TensorError ? error : undefined;
  const { code, message, fix, commandFix } = known ?? { code: "unreadable-file", message: reasonOf(error), fix: "" };
  const beginOf = (candidate: string): string => `${pathText(candidate)}: `;
  const file = files.find((candidate) => message.startsWith(beginOf(candidate))) ?? files[0] ?? "";
  const problem = message.startsWith(beginOf(file)) ? message.slice(beginOf(file).length) : message;
  const text = fix === "" ? problem : `${problem} (${fix})`;
  const forCommand = commandFix === undefined ? {} : { commandText: `${problem} (${commandFix})` };
  return { level: "problem", code, file, text, ...forCommand };
}
