import type { TensorError } from "@fcn/tensor";

import { reworded } from "@fcn/tensor/internal";
import type { DataRemark } from "./remarks.js";

/** What each file with classes can express, besides `classes.json`, which can express everything. */
const FORMS: Readonly<Record<string, readonly [about: RegExp, form: string]>> = {
  "labelmap.txt": [/colou?r|#[0-9a-f]{6}/i, "as name:r,g,b::"],
  "class_names.txt": [/\bnames?\b/i, "one name a line"],
};

/**
 * Rewords a text about `classes.json` for a folder whose classes are named by another file: its remedies name that file
 * if it can express what is wanted, and otherwise say that a `classes.json` takes precedence.
 */
export function inTermsOf(file: string | undefined, text: string): string {
  if (file === undefined || !Object.hasOwn(FORMS, file)) return text;
  const [about, form] = FORMS[file] as readonly [RegExp, string];
  const isMore = /\bvalues?\b/.test(text) || (!about.test("colour") && /colou?r/.test(text));
  const isSaid = about.test(text) && !isMore;
  const remedy = isSaid ? `${file} (${form})` : `a classes.json, which is read in place of ${file}`;
  return text
    .replaceAll(/(?<=\b(?:but|of) )classes\.json(?! lists)|classes\.json(?= has )/g, file)
    .replaceAll(/(?<!a )classes\.json/g, remedy)
    .replaceAll(`its "value" there`, `its "value" in a classes.json, which is read in place of ${file}`);
}

/** The error with its texts reworded in those terms. */
export function errorInTermsOf(file: string | undefined, error: TensorError): TensorError {
  const [fix, command] = [error.fix, error.commandFix ?? error.fix].map((text) => inTermsOf(file, text));
  const remedy = { code: fix as string, command: command as string };
  return reworded(error, { message: inTermsOf(file, error.message), fix: remedy });
}

export function remarkInTermsOf(file: string | undefined, remark: DataRemark): DataRemark {
  const { text, commandText } = remark;
  const forCommand = commandText === undefined ? {} : { commandText: inTermsOf(file, commandText) };
  return { ...remark, text: inTermsOf(file, text), ...forCommand };
}
