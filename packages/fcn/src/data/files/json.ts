import type { TensorError } from "@fcn/tensor";
import { GUESSED_BYTES, guessContent } from "@fcn/tensor/internal";
import { fileError, reasonOf, wrongContent } from "./errors.js";

/** The name that {@link guessContent} gives to the beginning of JSON. */
export const JSON_FILE = "a JSON file";

/** Parses the JSON text of a file. Throws a TensorError that says where it stops being JSON, why, and what to do. */
export function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const guess = guessContent(new TextEncoder().encode(text.slice(0, GUESSED_BYTES)));
    const other = guess?.what === JSON_FILE ? undefined : guess;
    throw wrongContent("corrupt-file", path, other, "JSON", cause) ?? notJson(path, text, cause);
  }
}

function notJson(path: string, text: string, cause: unknown): TensorError {
  const at = firstFault(text);
  const known = at === undefined ? undefined : FAULTS.find(([isOne]) => isOne(text, at));
  const [, what = () => reasonOf(cause), fix = FALLBACK] = known ?? [];
  const where = at === undefined ? "" : `${placeOf(text, at)}: `;
  return fileError("corrupt-file", path, `it is not JSON: ${where}${what(text, at ?? 0)}`, fix, cause);
}

const FALLBACK = "correct it there, or write the file again";
const FROM_PYTHON = "write it with json.dump of Python, not with str() or repr()";

type Fault = readonly [
  isOne: (text: string, at: number) => boolean,
  what: (text: string, at: number) => string,
  fix: string,
];

const nonFinite = /[+-]?(NaN|Infinity|nan|inf)\b/y;
const pythonWord = /(True|False|None)\b/y;
const word = /[\p{L}\p{N}_.+-]{1,20}|./suy;
const found = (pattern: RegExp, text: string, at: number): string | undefined => {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
};

/** Common ways of almost writing JSON; the first match counts. */
const FAULTS: readonly Fault[] = [
  [
    (text, at) => at >= text.length,
    () => "it ends in the middle: it is cut off",
    "copy, download or export it again; where it is whole at its source, the copy was interrupted",
  ],
  [
    (text, at) => found(nonFinite, text, at) !== undefined,
    (text, at) => `${found(nonFinite, text, at)} is a word of Python that JSON does not have`,
    "write null or a number there; json.dump(..., allow_nan=False) in Python shows where it comes from",
  ],
  [
    (text, at) => found(pythonWord, text, at) !== undefined,
    (text, at) => `${found(pythonWord, text, at)} is a word of Python, not of JSON`,
    FROM_PYTHON,
  ],
  [(text, at) => text[at] === "'", () => "names and texts are in single quotes, as Python prints them", FROM_PYTHON],
  [
    (text, at) => /^(\/[/*]|#)/.test(text.slice(at, at + 2)),
    () => "a comment, which JSON does not have",
    "remove the comments",
  ],
  [
    (text, at) => /[\]}]/.test(text[at] ?? "") && lastBefore(text, at) === ",",
    (text, at) => `a comma before the closing ${text[at]}`,
    "remove the comma",
  ],
  [
    (text, at) => /[[{]/.test(text[at] ?? "") && /[\]}]/.test(lastBefore(text, at)),
    () => "another value begins after the first: it is JSON Lines, or a comma is missing",
    "combine them into one list: jq -s . lines.json > list.json",
  ],
  [
    (text, at) => text.charCodeAt(at) < 0x20,
    () => "a line break or tab inside a text",
    'write it as \\n or \\t, or close the text with "',
  ],
  [() => true, (text, at) => `unexpected ${JSON.stringify(found(word, text, at))}`, FALLBACK],
];

const lastBefore = (text: string, at: number): string => {
  let i = at - 1;
  while (i >= 0 && isBlank(text.charCodeAt(i))) i--;
  return text[i] ?? "";
};

function placeOf(text: string, at: number): string {
  let [line, begin] = [1, 0];
  for (let next = text.indexOf("\n"); next >= 0 && next < at; next = text.indexOf("\n", begin)) {
    line++;
    begin = next + 1;
  }
  return `line ${line}, column ${at - begin + 1}`;
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
const PLAIN = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const HEX = /[0-9a-fA-F]{4}/y;

/**
 * What may come next: a value, a value or the end of a list, a name or the end of an object, a name, a colon, or what
 * follows a value.
 */
type Wanted = "value" | "value or ]" | "name or }" | "name" | ":" | "after";

/** The position of the first character that no JSON text can have there; the text's length if it is truncated. */
function firstFault(text: string): number | undefined {
  const open: ("{" | "[")[] = [];
  let wanted: Wanted = "value";
  let at = 0;
  while (true) {
    while (isBlank(text.charCodeAt(at))) at++;
    if (at >= text.length) return wanted === "after" && open.length === 0 ? undefined : at;
    const letter = text[at] as string;
    const inside = open.at(-1);
    const isEnd = (letter === "}" && inside === "{") || (letter === "]" && inside === "[");
    if (isEnd && (wanted === "after" || wanted === (letter === "}" ? "name or }" : "value or ]"))) {
      open.pop();
      wanted = "after";
      at++;
    } else if (wanted === "after") {
      if (letter !== "," || inside === undefined) return at;
      wanted = inside === "{" ? "name" : "value";
      at++;
    } else if (wanted === ":") {
      if (letter !== ":") return at;
      wanted = "value";
      at++;
    } else if (letter === '"') {
      const { end, fault } = endOfText(text, at + 1);
      if (fault !== undefined) return fault;
      wanted = wanted.startsWith("name") ? ":" : "after";
      at = end;
    } else if (wanted.startsWith("name")) {
      return at;
    } else if (letter === "{" || letter === "[") {
      open.push(letter);
      wanted = letter === "{" ? "name or }" : "value or ]";
      at++;
    } else {
      PLAIN.lastIndex = at;
      if (!PLAIN.test(text)) return at;
      at = PLAIN.lastIndex;
      wanted = "after";
    }
  }
}

function endOfText(text: string, begin: number): { readonly end: number; readonly fault?: number } {
  for (let at = begin; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return { end: at + 1 };
    if (code < 0x20) return { end: at, fault: at };
    if (code !== 0x5c) continue;
    const escaped = text[++at] ?? "";
    if (escaped === "u") {
      HEX.lastIndex = at + 1;
      if (!HEX.test(text)) return { end: at, fault: Math.min(at + 1, text.length) };
      at += 4;
    } else if (escaped !== "" && !'"\\/bfnrt'.includes(escaped)) return { end: at, fault: at };
  }
  return { end: text.length, fault: text.length };
}
